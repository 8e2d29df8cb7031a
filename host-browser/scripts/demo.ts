// The notebook, driven on a real folder in headless Chromium: `node scripts/demo.ts FOLDER SCREENSHOT.png`.
// It needs the built notebook. `CHROMIUM` names the browser.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cleanUp, drop, launch, serve } from "../test/e2e/browser.ts";

const [folder, screenshot] = process.argv.slice(2);
if (!folder || !screenshot) throw new Error("usage: node scripts/demo.ts FOLDER SCREENSHOT.png");
const step = (text: string) => console.log(`\n-- ${text}`);

const host = await serve(fileURLToPath(new URL("../../examples/notebook/dist", import.meta.url)));
const browser = await launch("allow");
try {
  const page = browser.pages()[0] ?? (await browser.newPage());
  await page.goto(host.origin);
  await page.locator("#state[data-state=ready]").waitFor();
  step("CPython 3.14 runs in the page; the user drops a folder on it");
  await drop(page, folder, "#side");
  await page.locator("mountfs-panel button[data-verb=sync]:visible").waitFor();

  const python = async (source: string) => {
    await page.click("#add");
    const cell = page.locator("li.cell").last();
    await cell.locator("textarea").fill(source);
    await page.keyboard.press("Control+Enter");
    await cell.and(page.locator("[data-state=done], [data-state=failed]")).waitFor();
    if ((await cell.getAttribute("data-state")) === "failed") throw new Error((await cell.textContent()) ?? source);
    console.log(source.replace(/^/gm, "   >>> "));
    console.log(((await cell.locator(".output").textContent()) ?? "").trim().replace(/^/gm, "   "));
  };
  step("Python reads and writes in it");
  await python("import os\nsorted(os.listdir('/local'))");
  await python("with open('/local/from-python.txt', 'w') as file:\n    file.write('hello from the page\\n')");
  step("Sync, from the panel beside it");
  await page.locator("mountfs-panel button[data-verb=sync]:visible").click();
  await page.locator("mountfs-panel .status", { hasText: "Saved" }).waitFor();
  await page.locator("#list li", { hasText: "from-python.txt" }).filter({ hasText: "20 B" }).waitFor();
  await page.screenshot({ path: screenshot });

  step("on disk, read without the browser");
  for (const name of readdirSync(folder).sort()) {
    console.log(`   ${name.padEnd(20)} ${JSON.stringify(readFileSync(join(folder, name), "utf8"))}`);
  }
  step("Revoke: the page has no folder any more");
  await page.locator("mountfs-panel button[data-verb=revoke]:visible").click();
  await page.locator("mountfs-panel .status", { hasText: "given back" }).waitFor();
  await python("os.path.exists('/local')");
  console.log(`\nscreenshot: ${screenshot}`);
} finally {
  await browser.close();
  host.close();
  cleanUp();
}
