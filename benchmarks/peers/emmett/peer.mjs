// emmett as documented: a command handler for each message, an inline projection in the same
// transaction. SQLite in a file or, given --database, PostgreSQL. It keeps the word that
// benchmarks/peers/harness.py keeps; PEER_MODULES says where its modules are.

import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { decide, evolve, initialState, rowsOf } from "./job.mjs";

const { values: task } = parseArgs({
  options: {
    file: { type: "string" },
    folder: { type: "string" },
    database: { type: "string", default: "" },
    rate: { type: "string", default: "0" },
    part: { type: "string" },
    parts: { type: "string" },
  },
});
const require = createRequire(join(process.env.PEER_MODULES, "peer.js"));
const { CommandHandler, projections } = require("@event-driven-io/emmett");

const TABLES = [
  `CREATE TABLE months (patient TEXT, month TEXT, seconds INTEGER, units INTEGER,
     PRIMARY KEY (patient, month))`,
  `CREATE TABLE transitions (number NUMBER PRIMARY KEY, patient TEXT, month TEXT, unit INTEGER,
     raised INTEGER, cause TEXT)`,
];
const READ = [
  "SELECT patient, month, seconds, units FROM months WHERE seconds > 0",
  "SELECT patient, month, unit, raised, cause FROM transitions ORDER BY number",
];
const canHandle = ["TimeLogged", "FactRecorded"];

const onSqlite = async () => {
  const { getSQLiteEventStore, sqliteConnection } = require("@event-driven-io/emmett-sqlite");
  const fileName = join(task.folder, "emmett.db");
  const INSERT = {
    months: `INSERT INTO months VALUES (?, ?, ?, ?) ON CONFLICT (patient, month)
      DO UPDATE SET seconds = excluded.seconds, units = excluded.units`,
    transitions:
      "INSERT INTO transitions (patient, month, unit, raised, cause) VALUES (?, ?, ?, ?, ?)",
  };
  const handle = async (events, { connection }) => {
    for (const event of events)
      for (const [table, row] of rowsOf(event)) await connection.command(INSERT[table], row);
  };
  const db = sqliteConnection({ fileName });
  for (const table of TABLES) await db.command(table.replace("NUMBER", "INTEGER"));
  return {
    store: getSQLiteEventStore({
      fileName,
      projections: projections.inline([{ name: "months", canHandle, handle }]),
    }),
    readBack: () => Promise.all(READ.map((sql) => db.query(sql))),
    close: async () => db.close(),
  };
};

// libpq's `postgresql://?dbname=…` in the form that its modules know.
const urlOf = (database) => {
  const { dbname, user, password, ...rest } = Object.fromEntries(
    new URLSearchParams(database.split("?")[1]),
  );
  const credentials = encodeURIComponent(user) + (password ? `:${password}` : "");
  return `postgresql://${credentials}@localhost/${dbname}?${new URLSearchParams(rest)}`;
};

const onPostgres = async () => {
  const { getPostgreSQLEventStore } = require("@event-driven-io/emmett-postgresql");
  const { SQL } = require("@event-driven-io/dumbo");
  const pg = require("pg");
  const INSERT = {
    months: ([patient, month, seconds, units]) => SQL`
      INSERT INTO months VALUES (${patient}, ${month}, ${seconds}, ${units})
      ON CONFLICT (patient, month)
      DO UPDATE SET seconds = excluded.seconds, units = excluded.units`,
    transitions: ([patient, month, unit, raised, cause]) => SQL`
      INSERT INTO transitions (patient, month, unit, raised, cause)
      VALUES (${patient}, ${month}, ${unit}, ${raised}, ${cause})`,
  };
  const handle = async (events, { execute }) => {
    for (const event of events)
      for (const [table, row] of rowsOf(event)) await execute.command(INSERT[table](row));
  };
  const url = urlOf(task.database);
  const pool = new pg.Pool({ connectionString: url });
  for (const table of TABLES) await pool.query(table.replace("NUMBER", "BIGSERIAL"));
  const store = getPostgreSQLEventStore(url, {
    projections: projections.inline([{ name: "months", canHandle, handle }]),
  });
  await store.schema?.migrate?.();
  return {
    store,
    readBack: async () =>
      Promise.all(READ.map(async (sql) => (await pool.query(sql)).rows)),
    close: async () => {
      await store.close();
      await pool.end();
    },
  };
};

const { store, readBack, close } = await (task.database ? onPostgres() : onSqlite());
const handle = CommandHandler({ evolve, initialState });
const rate = Number(task.rate);
const milliseconds = [];

const work = async () => {
  const total = rate ? readFileSync(task.file, "utf8").split("\n").length - 1 : 0;
  const began = performance.now();
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(task.file) })) {
    const due = rate ? began + (number * 1000) / rate : 0;
    while (performance.now() < due - 1) await new Promise((done) => setTimeout(done, 1));
    const message = JSON.parse(line);
    await handle(store, `patient-${message.subject}`, decide(message));
    if (rate && number >= total * 0.2) milliseconds.push(performance.now() - due);
    number++;
  }
};

const percentiles = () => {
  const found = milliseconds.sort((a, b) => a - b);
  const at = (p) => found[Math.floor((found.length * p) / 100)];
  return found.length ? { p50: at(50), p99: at(99) } : {};
};

const peakBytes = () =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;

const word = () => new Promise((heard) => process.stdin.once("data", heard));

console.log("ready");
await word();
const before = process.cpuUsage();
await work();
const { user, system } = process.cpuUsage(before);
const told = {
  memory_bytes: peakBytes(),
  cpu_seconds: (user + system) / 1e6,
  milliseconds: percentiles(),
};
console.log("done " + JSON.stringify(told));
await word();
const [months, transitions] = await readBack();
await close();
const result = {
  months: months.map((r) => [r.patient, r.month, r.seconds, r.units]),
  transitions: transitions.map((r) => [r.patient, r.month, r.unit, Boolean(r.raised), r.cause]),
};
writeFileSync(join(task.folder, "result.json"), JSON.stringify(result));
process.exit(0);
