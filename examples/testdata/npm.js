#!/usr/bin/node
// Stands in for npm where its registry cannot be reached: `npm install` takes the dependencies of package.json from Debian's
// packages, and fails if one is missing or has another version.
const fs = require("fs");
const semver = require("semver");

const from = ["/usr/share/nodejs", "/usr/lib/nodejs"];

function install(name, range) {
  const dir = from.map((folder) => `${folder}/${name}`).find((folder) => fs.existsSync(folder));
  const version = dir && require(`${dir}/package.json`).version;
  if (!dir || !semver.satisfies(version, range)) {
    throw new Error(`no matching version found for ${name}@${range}: Debian has ${version ?? "none"}`);
  }
  fs.mkdirSync("node_modules", { recursive: true });
  fs.symlinkSync(dir, `node_modules/${name}`);
  console.log(`added ${name}@${version}`);
}

try {
  if (process.argv[2] !== "install") {
    throw new Error(`only "npm install" is known, not "npm ${process.argv.slice(2).join(" ")}"`);
  }
  for (const [name, range] of Object.entries(require(`${process.cwd()}/package.json`).dependencies)) {
    install(name, range);
  }
} catch (error) {
  console.error(`npm error ${error.message}`);
  process.exit(1);
}
