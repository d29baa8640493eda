// Bun's ways of doing our jobs on our documents, in interleaved rounds: bun bun_peer.js HOME OUT, started by scripts/bun-peer.
// A gain is how many times better a way is than the first of its table, with Student's t over rounds at 99 %, widened by the repeat
// spread: how far the first way was from itself (`-again`). So are the gains of `[[claim]]` (docs/METHODOLOGY.md).
import { Database } from "bun:sqlite";
import { mkdirSync, promises, readFileSync, rmSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";

const [home, out] = process.argv.slice(2);
const ROUNDS = 8, WINDOW_NS = 150e6, WARM_NS = 400e6, SEEDS = [1, 2, 3, 4, 5, 6, 7, 8], ROWS = 1000;
// Two-sided 99 % points of Student's t for 1, 2, … degrees of freedom.
const T99 = [63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.25, 3.169, 3.106];
const files = `${home}/files`;
const check = (right, what) => { if (!right) throw new Error(`wrong answer: ${what}`); };
const document = (size, seed) => readFileSync(`${home}/documents/${size}-${seed}`);

// Documents are cut at their size; behind its last whole message one can be closed again, as the JSON contenders do.
function whole(bytes) {
    const text = bytes.toString();
    for (let cut = text.lastIndexOf("}"); cut > text.length / 2; cut = text.lastIndexOf("}", cut - 1)) {
        for (const end of ["", "]}"]) {
            try {
                const closed = text.slice(0, cut + 1) + end;
                JSON.parse(closed);
                return closed;
            } catch { /* an object within a message: cut before it */ }
        }
    }
    throw new Error("no document of ours can be closed");
}

// A way is { name, run(i) -> bytes that came out, or undefined }; run may be async. Operations per call: `many`.
function reading(size) {
    const paths = SEEDS.map((seed) => `${files}/${size}-${seed}.json`);
    paths.forEach((path, i) => writeFileSync(path, whole(document(size, SEEDS[i]))));
    const at = (i) => paths[i % paths.length];
    const sync = (i) => JSON.parse(readFileSync(at(i), "utf8"));
    return { job: "read and parse a file", size, cpuBound: false, ways: [
        { name: "readFileSync + JSON.parse", run: sync },
        { name: "readFileSync + JSON.parse-again", run: sync },
        { name: "await Bun.file(p).json()", run: (i) => Bun.file(at(i)).json() },
        { name: "await fs.promises.readFile + JSON.parse", run: async (i) => JSON.parse(await promises.readFile(at(i), "utf8")) },
    ], same: (a, b) => Bun.deepEquals(a, b) };
}

function parsing(size) {
    const texts = SEEDS.map((seed) => whole(document(size, seed))), bytes = texts.map((text) => Buffer.from(text));
    const decoder = new TextDecoder(), at = (list, i) => list[i % list.length];
    return { job: "parse JSON in memory", size, cpuBound: true, ways: [
        { name: "JSON.parse of a text", run: (i) => JSON.parse(at(texts, i)) },
        { name: "JSON.parse of a text-again", run: (i) => JSON.parse(at(texts, i)) },
        { name: "JSON.parse of decoded bytes", run: (i) => JSON.parse(decoder.decode(at(bytes, i))) },
    ], same: (a, b) => Bun.deepEquals(a, b) };
}

function compressing(size) {
    const documents = SEEDS.map((seed) => document(size, seed)), at = (i) => documents[i % documents.length];
    const gzip = (i) => gzipSync(at(i), { level: 6 }), zstd = (i) => Bun.zstdCompressSync(at(i), { level: 3 });
    SEEDS.forEach((_, i) => check(gunzipSync(gzip(i)).equals(at(i)) && Buffer.from(Bun.zstdDecompressSync(zstd(i))).equals(at(i)), "decompressed"));
    return { job: "compress", size, cpuBound: true, input: (i) => at(i).length, output: (made) => made.length, ways: [
        { name: "zlib.gzipSync level 6", run: gzip }, { name: "zlib.gzipSync level 6-again", run: gzip }, { name: "Bun.zstdCompressSync level 3", run: zstd },
    ] };
}

const facts = { bun: Bun.version, sqlite: new Database(":memory:").query("SELECT sqlite_version() AS v").get().v, rounds: ROUNDS, documents: "agent-session", seeds: SEEDS, pragmas: {} };

function writing(batch) {
    const bodies = SEEDS.map((seed) => document(2048, seed));
    const table = (name, pragmas) => {
        const db = new Database(`${files}/${batch}-${name.replaceAll(/\W/g, "-")}.db`, { create: true });
        pragmas.forEach((pragma) => db.run(`PRAGMA ${pragma}`));
        const said = ["journal_mode", "synchronous", "cache_size"].map((key) => [key, Object.values(db.query(`PRAGMA ${key}`).get())[0]]);
        facts.pragmas[name] = Object.fromEntries(said);
        db.run("CREATE TABLE sessions(id TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL) STRICT");
        const upsert = db.query("INSERT INTO sessions(id, version, body) VALUES(?1, ?2, ?3) ON CONFLICT(id) DO UPDATE SET version = excluded.version, body = excluded.body");
        const versions = new Array(ROWS).fill(0);
        let state = 1;
        const body = (key) => bodies[(key + versions[key]) % bodies.length];
        const write = (key) => { versions[key] += 1; upsert.run(`session-${key}`, versions[key], body(key)); };
        db.transaction(() => versions.forEach((_, key) => write(key)))();
        const any = () => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; write(state % ROWS); };
        const many = db.transaction(() => { for (let n = 0; n < batch; n++) any(); });
        const done = () => {
            const row = db.query("SELECT version, body FROM sessions WHERE id = ?1");
            versions.forEach((version, key) => {
                const found = row.get(`session-${key}`);
                check(found.version === version && Buffer.from(found.body).equals(body(key)), `${name}, row ${key}`);
            });
            db.close();
        };
        return { name, many: batch, run: batch === 1 ? any : many, done };
    };
    const planned = ["journal_mode = WAL", "synchronous = NORMAL", "cache_size = 10000"];
    return { job: batch === 1 ? "bun:sqlite, autocommit" : `bun:sqlite, ${batch} rows a transaction`, size: 2048, cpuBound: false, ways: [
        table("default PRAGMAs", []), table("default PRAGMAs-again", []), table("WAL + NORMAL + cache_size 10000", planned),
    ] };
}

async function measure(job, way, window) {
    Bun.gc(true);
    let [calls, input, output] = [0, 0, 0];
    const cpu = process.cpuUsage(), start = Bun.nanoseconds();
    while (Bun.nanoseconds() - start < window || calls < SEEDS.length) {
        const made = way.run(calls);
        const value = made instanceof Promise ? await made : made;
        if (job.output) [input, output] = [input + job.input(calls), output + job.output(value)];
        calls += 1;
    }
    const wall = Bun.nanoseconds() - start, used = process.cpuUsage(cpu);
    return { operations: calls * (way.many ?? 1), wall_ns: Math.round(wall), cpu_ns: (used.user + used.system) * 1000, bytes_in: input, bytes_out: output };
}

const sorted = (list) => [...list].sort((a, b) => a - b), mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
const median = (list) => { const s = sorted(list), h = s.length >> 1; return s.length % 2 ? s[h] : (s[h - 1] + s[h]) / 2; };
const time = (ns) => ns < 1e6 ? `${(ns / 1e3).toPrecision(3)} us` : `${(ns / 1e6).toPrecision(3)} ms`;
const ratio = (x) => x.toFixed(x >= 99.95 ? 0 : x >= 9.995 ? 1 : 2);
const spread = (list) => `${time(median(list))} (${time(Math.min(...list))} to ${time(Math.max(...list))})`;

// Rows of one job: medians over rounds and their range, and the gain over the first way.
function table(job, records) {
    const of = (way, key) => records.filter((r) => r.job === job.job && r.size === job.size && r.way === way.name).map((r) => r[key] / r.operations);
    const judged = job.cpuBound ? "cpu_ns" : "wall_ns", first = of(job.ways[0], judged);
    const logs = (way) => of(way, judged).map((x, round) => Math.log(first[round] / x));
    const repeat = Math.abs(mean(logs(job.ways[1])));
    const row = (way, index) => {
        const gains = logs(way), centre = mean(gains);
        const deviation = Math.sqrt(gains.reduce((sum, x) => sum + (x - centre) ** 2, 0) / (gains.length - 1) / gains.length);
        const half = T99[gains.length - 2] * deviation + (index === 1 ? 0 : repeat), [low, high] = [centre - half, centre + half].map(Math.exp);
        const gain = `${ratio(Math.exp(centre))}× [${ratio(low)}, ${ratio(high)}]${low <= 1 && high >= 1 ? " inconclusive" : ""}`;
        const ratios = records.filter((r) => r.job === job.job && r.way === way.name).map((r) => r.bytes_in / r.bytes_out);
        const cells = [way.name, spread(of(way, "wall_ns")), spread(of(way, "cpu_ns")), job.output ? median(ratios).toFixed(2) : "–", index ? gain : "–"];
        return `| ${cells.join(" | ")} |`;
    };
    const head = `**${job.job}**, ${job.size} bytes; gain in ${job.cpuBound ? "CPU" : "wall"} time; repeat spread ${Math.exp(repeat).toFixed(2)}×\n\n`;
    return `${head}| way | wall time per operation | CPU time per operation | bytes in by out | gain over the first |\n| --- | --- | --- | ---: | ---: |\n${job.ways.map(row).join("\n")}\n`;
}

rmSync(files, { recursive: true, force: true });
mkdirSync(files);
const jobs = [reading(4096), reading(65536), parsing(4096), parsing(65536), parsing(1048576), compressing(16384), writing(1), writing(100)];
for (const job of jobs) {
    for (const way of job.ways) {
        if (job.same) for (const i of SEEDS.keys()) check(job.same(await way.run(i), await job.ways[0].run(i)), `${job.job}: ${way.name}`);
        await measure(job, way, WARM_NS);
    }
}
const records = [];
for (let round = 0; round < ROUNDS; round++) {
    for (const job of jobs) {
        // Ways take turns at being first, so that none always follows the same one.
        for (let n = 0; n < job.ways.length; n++) {
            const way = job.ways[(round + n) % job.ways.length];
            records.push({ round, job: job.job, size: job.size, way: way.name, ...(await measure(job, way, WINDOW_NS)) });
        }
    }
}
jobs.forEach((job) => job.ways.forEach((way) => way.done?.()));
rmSync(files, { recursive: true, force: true });
const told = Object.entries(facts.pragmas).map(([name, said]) => `\`${name}\`: ${Object.entries(said).map(([key, value]) => `${key} ${value}`).join(", ")}`);
const how = `Bun ${facts.bun} with SQLite ${facts.sqlite} on documents of the shape \`agent-session\` as the contenders have them (the first of seeds ${SEEDS.join(", ")}), ${ROUNDS} interleaved rounds of ${WINDOW_NS / 1e6} ms per way after a warm-up. Figures are medians over rounds with the least and the most. CPU time is the whole process', its collector and compiler included. A gain is how many times better a way is than the first of its table, with its 99 % interval over rounds, widened by the repeat spread; \`inconclusive\`: it holds 1. Every answer was compared with the first way's, every compressed document was opened again, every row was read back.\n\nPRAGMAs as read back: ${told.join("; ")}.`;
writeFileSync(`${out}/bun-peer.jsonl`, [facts, ...records].map((line) => JSON.stringify(line)).join("\n") + "\n");
writeFileSync(`${out}/bun-peer.md`, `# Bun beside them, as a peer\n\n${how}\n\n${jobs.map((job) => table(job, records)).join("\n")}`);
