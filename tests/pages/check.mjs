// Load pages that were fetched before into one Chromium, look at each in every size and
// colour scheme, and print what is wrong as JSON. The pages come from files, with the
// headers they had, so that answers to a POST are looked at like any other page.
//
// usage: node check.mjs PLAN.json
//   { "pages": [{name, url, file, headers, without}], "stylesheets": {url: file}, "shots": folder,
//     "shot": which views are photographed, "frame": what a frame of a page shows }

import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const tools = createRequire(join(process.cwd(), "package.json"));
const puppeteer = tools("puppeteer-core");
const axe = readFileSync(tools.resolve("axe-core/axe.min.js"), "utf8");

const plan = JSON.parse(readFileSync(process.argv[2], "utf8"));
const VIEWS = [
  { name: "1280-light", width: 1280, scheme: "light" },
  { name: "1280-dark", width: 1280, scheme: "dark" },
  { name: "320-light", width: 320, scheme: "light" },
  { name: "320-dark", width: 320, scheme: "dark" },
  { name: "1280 at 200 %", width: 640, scheme: "light", zoom: 2 },
];

const found = [];
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
const tab = await browser.newPage();
let current;
await tab.setRequestInterception(true);
tab.on("request", (request) => {
  const url = request.url();
  if (url === current.url && request.isNavigationRequest() && request.frame() === tab.mainFrame()) {
    request.respond({ status: 200, headers: current.headers, body: readFileSync(current.file) });
  } else if (plan.stylesheets[url.split("?")[0]]) {
    const style = readFileSync(plan.stylesheets[url.split("?")[0]]);
    request.respond({ contentType: "text/css", body: style });
  } else if (url.startsWith("data:")) {
    request.continue();
  } else if (/^http:[/]{2}[^/]+[/][a-z-]+[/]progress[/]/.test(url)) {
    request.respond({ contentType: "text/html", body: readFileSync(plan.frame) });
  } else {
    found.push({ page: current.name, kind: "request", told: url });
    request.abort();
  }
});
tab.on("console", (message) => {
  if (message.type() === "error") {
    found.push({ page: current.name, kind: "console", told: message.text() });
  }
});

function measure() {
  const root = document.documentElement;
  const wide = [];
  if (root.scrollWidth > root.clientWidth) {
    wide.push(`the page is ${root.scrollWidth} wide in ${root.clientWidth}`);
    for (const one of document.body.querySelectorAll("*")) {
      const box = one.getBoundingClientRect();
      const away = one.classList.contains("skip") || one.closest("iframe");
      if (!away && (box.right > root.clientWidth + 1 || box.left < -1)) {
        wide.push(one.outerHTML.slice(0, 120));
      }
    }
  }
  const small = [];
  for (const one of document.querySelectorAll("button, .button, summary, input, textarea, nav a, label:has(input)")) {
    if (one.type === "hidden") continue;
    const label = one.closest("label") ?? document.querySelector(`label[for="${one.id}"]`);
    const sizes = [one, label && one.matches("[type=checkbox], [type=radio]") ? label : one].map(
      (part) => part.getBoundingClientRect().height);
    const height = Math.max(...sizes);
    if (height > 0 && height < 43.5) small.push(`${height.toFixed(1)} px: ${one.outerHTML.slice(0, 100)}`);
  }
  return { wide: wide.slice(0, 6), small: small.slice(0, 6) };
}

function unfold() {
  for (const one of document.querySelectorAll("details")) {
    one.removeAttribute("name");
    one.dataset.was ??= one.open;
    one.open = true;
  }
}

function fold() {
  for (const one of document.querySelectorAll("details")) one.open = one.dataset.was === "true";
}

for (current of plan.pages) {
  for (const view of VIEWS) {
    const say = (kind, told) => found.push({ page: current.name, view: view.name, kind, told });
    await tab.setViewport({ width: view.width, height: 900, deviceScaleFactor: view.zoom ?? 1 });
    await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: view.scheme }]);
    if (view === VIEWS[0]) await tab.goto(current.url, { waitUntil: "load" });
    if (plan.shot.includes(view.name)) {
      mkdirSync(plan.shots, { recursive: true });
      await tab.screenshot({ path: join(plan.shots, `${current.name}-${view.name}.png`), fullPage: true });
    }
    const folded = await tab.evaluate(measure);
    await tab.evaluate(unfold);
    const unfolded = await tab.evaluate(measure);
    for (const told of new Set([...folded.wide, ...unfolded.wide])) say("overflow", told);
    if (!view.zoom) for (const told of new Set([...folded.small, ...unfolded.small])) say("target", told);
    if (!view.zoom) {
      await tab.evaluate(axe);
      const result = await tab.evaluate((options) => axe.run(document, options), {
        resultTypes: ["violations"],
        iframes: false,
        rules: Object.fromEntries(current.without.map((rule) => [rule, { enabled: false }])),
        // Another colour scheme changes colours and nothing else.
        ...(view.scheme === "dark" ? { runOnly: { type: "rule", values: ["color-contrast"] } } : {}),
      });
      for (const violation of result.violations) {
        for (const node of violation.nodes.slice(0, 3)) {
          say("axe", `${violation.id}: ${violation.help}: ${node.html.slice(0, 140)}`);
        }
      }
    }
    await tab.evaluate(fold);
  }
}
await browser.close();
console.log(JSON.stringify(found));
