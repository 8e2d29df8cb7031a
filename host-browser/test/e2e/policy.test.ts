// A page with a content security policy as strict as mountfs allows, also with Trusted Types: all works, and is styled.
import { existsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import type { InPage } from "./app-page.js";
import { cleanUp, drop, launch, serve, temporary } from "./browser.js";
import { onDisk } from "./disk.js";

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
const TRUSTED = `${POLICY}; require-trusted-types-for 'script'; trusted-types mountfs`;

const HTML = `<!doctype html><title>test</title>
<mountfs-panel mount="/local"></mountfs-panel>
<script type="module" src="main.js"></script>`;

const MAIN = `import { createMountfs } from "./dist/index.js";
import "./dist/panel.js";
window.fs = createMountfs({ app: "python" });
document.querySelector("mountfs-panel").mountfs = fs;`;

declare const fs: InPage["fs"];
declare const violations: string[];

afterAll(cleanUp);

describe.each([
  ["a content security policy", POLICY],
  ["Trusted Types", TRUSTED],
])("a page with %s", (_, policy) => {
  it("has its folder through the dialog and the panel, which are styled, and violates nothing", async () => {
    const python = at("../examples/notebook/public/python");
    if (!existsSync(join(python, "app.js"))) throw new Error("build the notebook's Python first: npm run notebook");
    const site = temporary("site");
    symlinkSync(at("dist"), join(site, "dist"));
    symlinkSync(python, join(site, "python"));
    writeFileSync(join(site, "index.html"), HTML);
    writeFileSync(join(site, "main.js"), MAIN);
    // On the worker's script too, which has no other policy.
    const host = await serve(site, { "content-security-policy": policy });
    const browser = await launch("allow");
    try {
      const page = browser.pages()[0] ?? (await browser.newPage());
      await page.addInitScript(() => {
        Object.assign(window, { violations: [] });
        addEventListener("securitypolicyviolation", (event) => violations.push(`${event.violatedDirective} ${event.sample}`));
        // As when nobody clicked: then the dialog comes first.
        Object.defineProperty(navigator, "userActivation", { value: { isActive: false } });
      });
      await page.goto(host.origin);
      const radius = (selector: string) =>
        page.locator(selector).evaluate((element) => getComputedStyle(element).borderRadius);

      expect(await radius("mountfs-panel .choose")).toBe("8px");
      await page.locator("mountfs-panel .choose").click();
      expect(await radius("mountfs-dialog dialog")).toBe("14px");

      const folder = temporary("folder");
      await drop(page, folder, "mountfs-dialog dialog");
      expect(await radius("mountfs-panel li")).toBe("12px");
      expect(await page.evaluate(() => fs.run(["-c", "open('/local/a.txt', 'w').write('in')"]))).toBe(0);
      expect(onDisk(folder)).toEqual({ "a.txt": "in" });
      expect(await page.evaluate(() => violations)).toEqual([]);
    } finally {
      await browser.close();
      host.close();
    }
  });
});
