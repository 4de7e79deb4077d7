// Load pages that were fetched before into one Chromium, look at each in every size and
// colour scheme, and print what is wrong as JSON. The pages come from files, with the
// headers they had, so that answers to a POST are looked at like any other page.
//
// usage: node check.mjs PLAN.json
//   { "pages": [{name, url, file, headers, without}], "stylesheets": {url: file}, "shots": folder,
//     "shot": which views are photographed, "frame": {file, headers} of what a page frames }

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

const LAYOUT_RULES = ["target-size", "scrollable-region-focusable", "color-contrast"];

const found = [];
const browser = await puppeteer.launch({
  protocolTimeout: 600_000, // a machine may be busy
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
// One tab after the other would leave a core idle.
const waiting = [...plan.pages];

async function openTab() {
  const tab = await browser.newPage();
  const shown = {};
  await tab.setRequestInterception(true);
  tab.on("request", (request) => {
    // What tells progress loads itself anew; here it would be gone while it is looked at.
    const anew = shown.there && request.isNavigationRequest() && request.frame() === tab.mainFrame();
    if (anew) request.abort("aborted");
    else answer(request, shown.page);
  });
  tab.on("console", (message) => {
    if (message.type() === "error") {
      found.push({ page: shown.page.name, kind: "console", told: message.text() });
    }
  });
  while (waiting.length) {
    shown.page = waiting.shift();
    shown.there = false;
    await tab.goto(shown.page.url, { waitUntil: "load" });
    shown.there = true;
    await lookAt(tab, shown.page);
  }
}

function answer(request, page) {
  const url = request.url();
  const sheet = plan.stylesheets[url.split("?")[0]];
  if (url === page.url && request.isNavigationRequest()) {
    request.respond({ status: 200, headers: page.headers, body: readFileSync(page.file) });
  } else if (sheet) {
    request.respond({ contentType: "text/css", body: readFileSync(sheet) });
  } else if (url.startsWith("data:")) {
    request.continue();
  } else if (/^http:[/]{2}[^/]+[/][A-Za-z-]+[/]progress[/]/.test(url)) {
    request.respond({ headers: plan.frame.headers, body: readFileSync(plan.frame.file) });
  } else {
    found.push({ page: page.name, kind: "request", told: url });
    request.abort();
  }
}

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

async function lookAt(tab, page) {
  for (const view of VIEWS) {
    const say = (kind, told) => found.push({ page: page.name, view: view.name, kind, told });
    await tab.setViewport({ width: view.width, height: 900, deviceScaleFactor: view.zoom ?? 1 });
    await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: view.scheme }]);
    if (view === VIEWS[0]) await tab.evaluate(axe);
    if (plan.shot.includes(view.name)) {
      mkdirSync(plan.shots, { recursive: true });
      await tab.screenshot({ path: join(plan.shots, `${page.name}-${view.name}.png`), fullPage: true });
    }
    const folded = await tab.evaluate(measure);
    await tab.evaluate(unfold);
    const unfolded = await tab.evaluate(measure);
    for (const told of new Set([...folded.wide, ...unfolded.wide])) say("overflow", told);
    if (!view.zoom) {
      for (const told of new Set([...folded.small, ...unfolded.small])) say("target", told);
      const result = await tab.evaluate((options) => axe.run(document, options), rulesFor(page, view));
      for (const violation of result.violations) {
        for (const node of violation.nodes.slice(0, 3)) {
          say("axe", `${violation.id}: ${violation.help}: ${node.html.slice(0, 140)}`);
        }
      }
    }
    await tab.evaluate(fold);
  }
}

// Width and colours change nothing but what these rules look at; the rest is asked once.
function rulesFor(page, view) {
  const options = { resultTypes: ["violations"], iframes: false };
  if (view === VIEWS[0]) {
    options.rules = Object.fromEntries(page.without.map((rule) => [rule, { enabled: false }]));
  } else {
    const values = view.scheme === "dark" ? ["color-contrast"] : LAYOUT_RULES;
    options.runOnly = { type: "rule", values };
  }
  return options;
}

await Promise.all([openTab(), openTab()]);
await browser.close();
console.log(JSON.stringify(found));
