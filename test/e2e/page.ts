import type { Cluster } from "../../cli/cluster/cluster";
import { manifests } from "../../config/manifests";
import { findChromium, launch } from "../browser/browser";
import { FrontendPage } from "../browser/page";
import { withOpen } from "./commands";
import { Served } from "./served";
import { modelName } from "./testStack";

/**
 * Opens the models' page as its user does, and where there is a browser asks a model there: the form is filled with the
 * first row of the training, and the answer must be that of the training.
 *
 * @returns what was seen. @throws Error it does not answer, or otherwise.
 */
export async function checkPage(cluster: Cluster, stack: string): Promise<string> {
  return withOpen("frontend", stack, async (url) => {
    const health = await textOf(`${url}/_stcore/health`);
    if (health !== "ok") throw new Error(`the page's health is ${health}`);
    const page = await textOf(url);
    if (!page.includes("<title>Streamlit</title>")) throw new Error(`the page is ${page.slice(0, 300)}`);
    const found = findChromium();
    return "missing" in found
      ? `answers; not looked at: ${found.missing}`
      : askByClicks(new Served(cluster), url, found.file);
  });
}

async function textOf(url: string): Promise<string> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.text();
}

async function askByClicks(served: Served, url: string, chromium: string): Promise<string> {
  const [champion, { predictions }] = await Promise.all([served.champion(), served.record()]);
  const browser = await launch(chromium);
  try {
    const page = await browser.newPage();
    const frontend = new FrontendPage(page, url);
    await frontend.open("Models");
    for (const { name } of manifests) {
      const row = frontend.row(name);
      await row.waitFor();
      const cells = (await row.getByRole("cell").allInnerTexts()).map((text) => text.trim());
      if (!cells.includes("answers")) throw new Error(`the page lists ${cells.join(", ")}`);
      if (name === modelName && cells[1] !== champion)
        throw new Error(
          `the page lists version ${cells[1] ?? ""} of ${name}, and ${champion} is the champion`,
        );
    }
    await frontend.open("One", modelName);
    await frontend.predict();
    const shown = await frontend.metric("price");
    const expected = Number(predictions[0]);
    if (Math.abs(Number(shown.replaceAll(",", "")) - expected) > 0.01)
      throw new Error(`the page shows ${shown}, and the training had ${expected}`);
    return `${manifests.length} models listed, version ${champion} of ${modelName} answers ${shown} by clicks`;
  } finally {
    await browser.close();
  }
}
