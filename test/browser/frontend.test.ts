import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";
import type { Browser, BrowserContext, Page } from "playwright-core";

import { manifests } from "../../config/manifests";
import { mlAppDir } from "../../cli/paths";
import { TestPlatform, lastEvent } from "../local/support/platform";
import { findChromium, launch, png } from "./browser";
import { FrontendPage, allPlaces } from "./page";

const axe = readFileSync(require.resolve("axe-core"), "utf8");

/** The first rows of a model's sample, below the names of its columns. */
function sample(folder: string, rows: number): string[] {
  return readFileSync(path.join(mlAppDir, folder, "sample.csv"), "utf8")
    .trim()
    .split("\n")
    .slice(0, rows + 1);
}

describe("the front end, in a browser", function () {
  this.timeout(60_000);
  const found = findChromium();
  const platform = new TestPlatform();
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let frontend: FrontendPage;
  let base: string;
  const outside: string[] = [];

  before(async function () {
    if ("missing" in found) {
      console.log(`    skipped: ${found.missing}`);
      this.skip();
    }
    this.timeout(400_000);
    const up = await platform.run(["up", "--models", "all", "--detach", "--json"]);
    expect(up.code, up.stderr).to.equal(0);
    base = String(lastEvent(up.events, "up")["frontend"]);
    browser = await launch(found.file);
    context = await browser.newContext({ viewport: { width: 1200, height: 900 }, acceptDownloads: true });
    context.setDefaultTimeout(20_000);
    context.on("request", (request) => {
      if (!request.url().startsWith(base)) outside.push(request.url());
    });
    page = await context.newPage();
    frontend = new FrontendPage(page, base);
  });
  after(async () => {
    await (browser as Browser | undefined)?.close();
    await platform.dispose();
  });

  const upload = (name: string, mimeType: string, buffer: Buffer) =>
    page.locator("input[type=file]").setInputFiles({ name, mimeType, buffer });

  it("lists the models with version, score and health", async () => {
    await frontend.open("Models");
    for (const { name, training } of manifests) {
      const row = frontend.row(name);
      await row.waitFor();
      expect(await row.innerText()).to.match(
        new RegExp(`^${name}\\s+1\\s+${training.score} 0\\.\\d{3}\\s+answers`),
      );
    }
  });

  it("predicts for a house by one click", async () => {
    await frontend.open("One", "house-price");
    await page.getByLabel("bedrooms").waitFor();
    await frontend.predict();
    expect(Number((await frontend.metric("price")).replaceAll(",", ""))).to.be.within(50_000, 2_000_000);
    await page.getByLabel("sqft_living").fill("9000");
    const before = await frontend.metric("price");
    await frontend.predict();
    await page.waitForFunction(
      (old) => document.querySelector("[data-testid=stMetricValue]")?.textContent.trim() !== old,
      before,
    );
  });

  it("predicts for a wine", async () => {
    await frontend.open("One", "wine-quality-xgboost");
    await page.getByLabel("volatile acidity").waitFor();
    await frontend.predict();
    expect(Number(await frontend.metric(""))).to.be.within(3, 8);
  });

  it("tells the digit in a picture", async () => {
    const [, row = ""] = sample("digits", 1);
    const [digit, ...pixels] = [Number(row.split(",").at(-1)), ...row.split(",").slice(0, -1).map(Number)];
    const grey = Array.from({ length: 8 }, (_, y) =>
      pixels.slice(8 * y, 8 * y + 8).map((ink) => 255 - ink * 15),
    );
    await frontend.open("One", "digits");
    await upload("digit.png", "image/png", png(grey));
    expect(await frontend.metric("most probable")).to.equal(String(digit));
    await upload("digit.png", "image/png", Buffer.from("no picture"));
    await page.getByText(/digits does not take this: /).waitFor();
  });

  it("says what is wrong with an input, and what a model refuses", async () => {
    await frontend.open("One", "house-price");
    await page.getByLabel("bedrooms").fill("<b>many</b>");
    await frontend.predict();
    await page.getByText("bedrooms is “<b>many</b>”, which is no number.").waitFor();
  });

  it("answers a table of 1,000 rows, rejects those that do not fit, and gives all of it away", async () => {
    const [names = "", ...rows] = sample("house_price", 999);
    const bad = ["=1+1", ...(rows[0] ?? "").split(",").slice(1)].join(",");
    await frontend.open("Table", "house-price");
    await upload("houses.csv", "text/csv", Buffer.from([names, ...rows, bad].join("\n")));
    await page.getByText(`${rows.length} rows answered, 1 rejected`).waitFor();
    await page.getByTestId("stVegaLiteChart").first().waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByText("Download all as CSV").click(),
    ]);
    const lines = readFileSync(await download.path(), "utf8")
      .trim()
      .split("\r\n");
    expect(lines).to.have.length(rows.length + 2);
    expect(lines.at(-1)).to.match(/^'=1\+1,.*,"bedrooms is “=1\+1”, which is no number"$/);
  });

  it("compares two models on the same rows", async () => {
    await frontend.open("Compare", "wine-quality-sklearn");
    await page.getByText(/^wine-quality-xgboost version 1/).waitFor();
    expect(Number(await frontend.metric("mean difference"))).to.be.within(0, 2);
  });

  it("fits into a narrow window", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const place of allPlaces) {
      await frontend.open(place);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.waitForTimeout(500);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(over, place).to.be.at.most(0);
    }
    await page.setViewportSize({ width: 1200, height: 900 });
  });

  it("is used by the keyboard alone", async () => {
    await frontend.open("One", "house-price");
    await page.getByLabel("bedrooms").waitFor();
    await page.locator("[data-test-script-state=notRunning]").waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
    for (let at = 0; at < 60 && (await focused()) !== "bedrooms"; at += 1) await page.keyboard.press("Tab");
    expect(await focused()).to.equal("bedrooms");
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.type("4");
    await page.keyboard.press("Enter");
    expect(Number((await frontend.metric("price")).replaceAll(",", ""))).to.be.greaterThan(0);
  });

  it("has names for all controls, and no serious fault that axe knows", async () => {
    for (const place of allPlaces) {
      await frontend.open(place, place === "Models" ? undefined : "wine-quality-sklearn");
      await page.waitForTimeout(500);
      await page.evaluate(axe);
      const faults = await page.evaluate(async () => {
        const { violations } = await (
          globalThis as unknown as {
            axe: { run: () => Promise<{ violations: { id: string; impact: string }[] }> };
          }
        ).axe.run();
        return violations
          .filter(({ impact }) => ["serious", "critical"].includes(impact))
          .map(({ id }) => id);
      });
      expect(faults, place).to.deep.equal([]);
    }
  });

  it("says that a server is down, while the others go on", async () => {
    process.kill(platform.services()["digits"] ?? 0, "SIGKILL");
    await frontend.open("Models");
    await page.getByRole("row", { name: /digits.*does not answer/ }).waitFor();
    await page.getByRole("row", { name: /house-price.* answers/ }).waitFor();
    await page
      .getByText(/digits (does not answer|has broken off)/)
      .first()
      .waitFor();
  });

  it("shows a name as it is, whatever it would be on a page", async () => {
    const name = "<img src=x onerror=alert(1)> [a](http://evil.test) **b** :smile: http://evil.test";
    const file = path.join(platform.home, "local", "frontend", "models.json");
    const models = [{ name, protocol: "v2", address: "http://127.0.0.1:9" }];
    writeFileSync(file, JSON.stringify({ models }));
    await frontend.open("Models");
    const row = frontend.row("<img");
    await row.waitFor();
    expect((await row.innerText()).replaceAll("\u2060", "")).to.contain(name);
    expect(await page.locator("img[src=x], a[href*=evil], table strong").count()).to.equal(0);
  });

  it("asks nobody but its own server for anything", () => {
    expect(outside).to.deep.equal([]);
  });
});
