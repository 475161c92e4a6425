import { connect, QUEUE } from "./redis.js";

const redis = await connect();
let stopping = false;
process.on("SIGTERM", () => {
  stopping = true;
});

function summarize(text) {
  const words = text.split(/\s+/).filter(Boolean);
  return { words: words.length, longest: words.reduce((longest, word) => (word.length > longest.length ? word : longest), "") };
}

console.log("waiting for jobs");
while (!stopping) {
  // A second, so that a worker without work notices SIGTERM soon.
  const taken = await redis.brPop(QUEUE, 1);
  if (taken) {
    const job = JSON.parse(taken.element);
    await redis.set(`result:${job.id}`, JSON.stringify(summarize(job.text)), { EX: 86400 });
    console.log("done", job.id);
  }
}
await redis.quit();
