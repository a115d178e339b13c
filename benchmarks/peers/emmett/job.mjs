// The job in plain JavaScript, as benchmarks/peers/plain.py has it in Python, over emmett's events.

export const unitsOf = (seconds) => Math.min(3, Math.floor(seconds / 1200));

export const initialState = () => ({ seen: new Set(), entries: new Map(), seconds: new Map() });

export const evolve = (state, { type, data }) => {
  state.seen.add(data.key);
  if (type === "TimeLogged") {
    const { said, month, seconds } = data;
    state.entries.set(data.entryId, { said, month, seconds });
    state.seconds.set(month, data.total);
  }
  return state;
};

// One message to the events that are new: none for a duplicate. An amendment is taken to stay in its
// entry's month, as this workload's do; the one said last stands.
export const decide = (message) => (state) => {
  const key = `${message.source} ${message.id}`;
  if (state.seen.has(key)) return [];
  const { entry_id: entryId, started_at: start, ended_at: end } = message.data;
  if (!entryId) return [{ type: "FactRecorded", data: { key, fact: message.data } }];
  const standing = state.entries.get(entryId);
  let said = `${message.time} ${key}`;
  let month = start ? start.slice(0, 7) : (standing?.month ?? "");
  let seconds = start ? (Date.parse(end) - Date.parse(start)) / 1000 : 0;
  if (standing && standing.said > said) {
    ({ said, seconds } = standing);
    month = standing.month || month;
  }
  const before = state.seconds.get(month) ?? 0;
  const total = before + seconds - (standing?.seconds ?? 0);
  const data = { key, id: message.id, patient: message.subject, entryId, said, month };
  return [{ type: "TimeLogged", data: { ...data, seconds, before, total } }];
};

// What the projection writes of one event: (table, values) pairs.
export const rowsOf = ({ type, data }) => {
  if (type !== "TimeLogged" || !data.month) return [];
  const { patient, month, before, total, id } = data;
  const [had, has] = [unitsOf(before), unitsOf(total)];
  const rows = [["months", [patient, month, total, has]]];
  for (let unit = Math.min(had, has) + 1; unit <= Math.max(had, has); unit++)
    rows.push(["transitions", [patient, month, unit, has > had ? 1 : 0, id]]);
  return rows;
};
