import { createClient } from "redis";

// connect returns a client that connects again by itself after an interruption.
export async function connect() {
  const client = createClient({ url: process.env.REDIS_URL });
  client.on("error", (error) => console.error("redis:", error.message));
  await client.connect();
  return client;
}

export const QUEUE = "jobs";
