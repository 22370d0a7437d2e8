// Service worker: keeps the emergency card, which holds no patient data, and shows it when the network fails.
// It keeps that one page and its style sheets, never another page; answers of the network always come first.
"use strict";

const CACHE = "emergency-card";
const CARD = "/emergency/card/?offline=1";

async function keep() {
  const answer = await fetch(CARD, { credentials: "omit", cache: "reload" });
  if (!answer.ok) throw new Error("no card");
  const page = await answer.clone().text();
  const sheets = Array.from(page.matchAll(/<link[^>]*rel="stylesheet"[^>]*href="([^"]+)"/g), (found) => found[1]);
  const kept = await Promise.all(sheets.map(async (sheet) => [sheet, await fetch(sheet)]));
  await caches.delete(CACHE);
  const cache = await caches.open(CACHE);
  await Promise.all([[CARD, answer], ...kept].map(([address, found]) => cache.put(address, found)));
}

async function kept(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request)) || Response.error();
}

self.addEventListener("install", (event) => event.waitUntil(keep().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const request = event.request;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => kept(CARD)));
  } else if (request.method === "GET" && request.destination === "style") {
    event.respondWith(fetch(request).catch(() => kept(request)));
  }
});
