/** The program that everything else is measured against: it creates nothing. */
export = function program() {
  return {};
};
