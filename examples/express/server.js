import { randomUUID } from "node:crypto";
import express from "express";
import { connect, QUEUE } from "./redis.js";

const redis = await connect();
const app = express();
app.use(express.json({ limit: "1mb" }));

// attempt passes an error on to Express, which version 4 does not do by itself.
const attempt = (handler) => (request, response, next) => handler(request, response).catch(next);

app.get("/healthz", attempt(async (request, response) => {
  await redis.ping();
  response.send("ok");
}));

app.get("/", attempt(async (request, response) => {
  response.type("text").send(`${await redis.lLen(QUEUE)} jobs wait\n`);
}));

// A text to summarize. The answer comes before the work is done: its result is at the given path.
app.post("/jobs", attempt(async (request, response) => {
  const id = randomUUID();
  await redis.lPush(QUEUE, JSON.stringify({ id, text: String(request.body.text ?? "") }));
  response.status(202).location(`/jobs/${id}`).json({ id });
}));

app.get("/jobs/:id", attempt(async (request, response) => {
  const result = await redis.get(`result:${request.params.id}`);
  if (result === null) {
    response.status(404).json({ error: "not done yet" });
  } else {
    response.type("json").send(result);
  }
}));

const server = app.listen(process.env.PORT ?? 3000, () => console.log("listening on", server.address().port));

// Requests that have begun are answered. As process 1 of a container, Node.js would otherwise ignore SIGTERM.
process.on("SIGTERM", () => {
  server.close(async () => {
    await redis.quit();
    process.exit(0);
  });
});
