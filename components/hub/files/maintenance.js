// Runs beside the proxy, in the proxy's own image. The proxy asks it for the page of an error
// (/503?url=/hub/login); a hub that answers gives its own page, else users get the one of the stack
// file, and clients of an API get JSON. The proxy sets the status: 503, or 404.
"use strict";
const http = require("http");
const { HUB_ERROR_URL, MAINTENANCE_PAGE, MAINTENANCE_TEXT, MAINTENANCE_PORT } = process.env;
const HUB_MILLISECONDS = 2000;

function answerOwn(asked, answer) {
  if (answer.headersSent) return answer.end();
  const path = (new URL(asked.url, "http://local").searchParams.get("url") || "").split("?")[0];
  const api = path.includes("/api/");
  answer.writeHead(503, {
    "Content-Type": api ? "application/json" : "text/html; charset=utf-8",
    "Cache-Control": "no-store",
  });
  answer.end(api ? JSON.stringify({ status: 503, message: MAINTENANCE_TEXT }) : MAINTENANCE_PAGE);
}

const server = http.createServer((asked, answer) => {
  const hub = http.get(HUB_ERROR_URL + asked.url, { timeout: HUB_MILLISECONDS }, (found) => {
    if (found.statusCode === 500) {
      found.resume();
      answerOwn(asked, answer);
      return;
    }
    answer.writeHead(found.statusCode, { "Content-Type": found.headers["content-type"] || "text/html" });
    found.pipe(answer);
    found.addListener("close", () => answer.end()); // also where the hub ends in the middle
  });
  hub.addListener("timeout", () => hub.destroy());
  hub.addListener("error", () => answerOwn(asked, answer));
});
server.listen(Number(MAINTENANCE_PORT), "127.0.0.1");
process.once("SIGTERM", () => process.exit(0)); // the first process of a container has no default
