/** A small data set of houses, as CSV: prices that follow from the area alone. */
export function houses(): string {
  const columns =
    "bedrooms,bathrooms,sqft_living,sqft_above,grade,floors,view,sqft_lot,waterfront,zipcode,price";
  const rows = Array.from({ length: 200 }, (_, i) => {
    const area = 800 + ((i * 37) % 3000);
    return [2 + (i % 4), 1.5, area, area, 5 + (i % 7), 1, 0, 5000 + i, 0, 98001 + (i % 100), area * 200];
  });
  return [columns, ...rows.map((row) => row.join(","))].join("\n") + "\n";
}
