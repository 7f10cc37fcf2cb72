import type { Page } from "playwright-core";

const places = { Models: "/", One: "/one", Table: "/table", Compare: "/compare" } as const;

/** A page of the front end. */
export type Place = keyof typeof places;

/** All pages. */
export const allPlaces = Object.keys(places) as Place[];

/** The front end as people use it, in a browser. */
export class FrontendPage {
  /** @param base its address. */
  constructor(
    readonly page: Page,
    private readonly base: string,
  ) {}

  /** Goes to a page, and chooses a model there. */
  async open(place: Place, model?: string): Promise<void> {
    await this.page.goto(`${this.base}${places[place]}`);
    if (model !== undefined) await this.choose(place === "Compare" ? "First model" : "Model", model);
  }

  /** The row that the list has of a model. */
  row(model: string) {
    return this.page.getByRole("row", { name: model });
  }

  /** Has the model asked for what the form holds. */
  async predict(): Promise<void> {
    await this.page.getByRole("button", { name: "Predict", exact: true }).click();
  }

  /** What is shown as the answer. */
  async metric(label: string): Promise<string> {
    const shown = this.page.getByTestId("stMetric").filter({ hasText: label });
    return (await shown.getByTestId("stMetricValue").innerText()).trim();
  }

  private async choose(label: string, model: string): Promise<void> {
    const { page } = this;
    await page.getByLabel(label, { exact: true }).first().click();
    await page.getByRole("option", { name: model, exact: true }).click();
    await page
      .getByText(new RegExp(`^${model} version \\d+, `))
      .first()
      .waitFor();
  }
}
