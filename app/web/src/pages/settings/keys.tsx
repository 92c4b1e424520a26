// API keys: made with what they may do, shown once, switched off for good.

import { useState } from "preact/hooks";
import { post, remove } from "../../api/http";
import type { Key } from "../../api/learning";
import { Problem } from "../../api/problem";
import { usePaged } from "../../paged";
import { CopyButton } from "../../ui/copy";
import { Confirm, Dialog } from "../../ui/dialog";
import { Chips, numberOf, Trouble } from "../../ui/forms";
import { attempt, report, tell } from "../../ui/notices";
import { Ago, Badge, CannotShow, Empty, Field, Panel } from "../../ui/parts";
import { type Column, Table } from "../../ui/table";

const SCOPES = [
  { value: "mark", title: "store, mark and delete pictures" }, { value: "ground", title: "ask questions" },
  { value: "jobs", title: "order, cancel and retry work; review texts" }, { value: "admin", title: "keys, webhooks, deployments, files of the server" },
];
const DAY_S = 86_400;

const stateOf = (key: Key): string => (key.revoked_at ? "revoked" : key.expires_at && new Date(key.expires_at) < new Date() ? "expired" : "good");

function stored({ storage }: Key): string {
  if (!storage) return "–";
  const limit = storage.max_images === null ? "" : ` of ${storage.max_images}`;
  return `${storage.images}${limit} images, ${(storage.bytes / 1e6).toFixed(1)} MB`;
}

/** The secret of something that was just made; nobody can show it again. */
export function SecretOnce({ title, secret, children, onClose }: { title: string; secret: string; children: preact.ComponentChildren; onClose: () => void }) {
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="dialog-body">
        <p>{children}</p>
        <pre class="code secret" tabIndex={0} id="secret">{secret}</pre>
      </div>
      <div class="row end"><CopyButton text={() => secret} class="button" /><button type="button" class="button primary" onClick={onClose}>It is kept</button></div>
    </Dialog>
  );
}

function NewKey({ onClose, onMade }: { onClose: () => void; onMade: (key: Key) => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState(["mark", "ground", "jobs"]);
  const [days, setDays] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const make = async () => {
    const lasts = numberOf(days);
    try {
      const { body } = await post<Key>("/v1/keys", { name, scopes, ...(lasts ? { expires_in_s: Math.round(lasts * DAY_S) } : {}) });
      onMade(body);
    } catch (error) {
      setProblem(Problem.of(error));
    }
  };
  return (
    <Dialog title="Make a key" onClose={onClose}>
      <form class="stack" onSubmit={(event) => { event.preventDefault(); void make(); }}>
        <Field label="Name" hint="Who or what will use it; the audit log shows it."><input type="text" id="key-name" required maxLength={200} value={name} onInput={(event) => setName(event.currentTarget.value)} /></Field>
        <Chips label="It may" options={SCOPES} chosen={scopes} onChange={setScopes} />
        <ul class="soft small">{SCOPES.filter(({ value }) => scopes.includes(value)).map(({ value, title }) => <li key={value}><strong>{value}</strong>: {title}</li>)}</ul>
        <Field label="Ends after, days"><input type="number" min={1} placeholder="never" value={days} onInput={(event) => setDays(event.currentTarget.value)} /></Field>
        <Trouble problem={problem} />
        <div class="row end"><button type="submit" class="button primary" disabled={!scopes.length}>Make the key</button></div>
      </form>
    </Dialog>
  );
}

export function Keys() {
  const keys = usePaged<Key>("/v1/keys", {}, 100);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Key | null>(null);
  const [leaving, setLeaving] = useState<Key | null>(null);
  const revoke = (key: Key) => attempt(async () => {
    await remove<Key>(`/v1/keys/${key.id}`);
    tell(`The key ${key.name} is off`);
    keys.reload();
  }).then(() => setLeaving(null));
  const columns: Column<Key>[] = [
    { key: "name", title: "Key", value: (row) => row.name, cell: (row) => <><strong>{row.name}</strong> <code class="soft">{row.prefix}…</code></> },
    { key: "scopes", title: "It may", value: (row) => row.scopes.join(", ") },
    { key: "state", title: "State", value: stateOf, cell: (row) => <Badge tone={stateOf(row) === "good" ? "good" : "bad"}>{stateOf(row)}</Badge> },
    { key: "stored", title: "Stored", value: (row) => row.storage?.bytes ?? 0, cell: stored },
    { key: "expires", title: "Ends", value: (row) => row.expires_at, cell: (row) => (row.expires_at ? new Date(row.expires_at).toLocaleDateString() : "never") },
    { key: "created", title: "Made", value: (row) => row.created_at, cell: (row) => <Ago time={row.created_at} /> },
    { key: "act", title: "", value: () => null, cell: (row) => (row.revoked_at ? "" : <button type="button" class="button small danger" aria-label={`Revoke ${row.name}`} onClick={() => setLeaving(row)}>Revoke</button>) },
  ];
  return (
    <Panel title="Keys" actions={<button type="button" class="button primary small" id="new-key" onClick={() => setMaking(true)}>Make a key</button>}>
      {keys.problem && <CannotShow what="The keys" problem={keys.problem} again={keys.reload} />}
      {!keys.loading && !keys.problem && !keys.rows.length && <Empty title="No keys">On this machine none is needed. Before others may reach the server, make one for each of them.</Empty>}
      {keys.rows.length > 0 && <Table label="Keys" rows={keys.rows} columns={columns} rowKey={(row) => row.id} />}
      {keys.more && <p class="more"><button type="button" class="button small" onClick={() => keys.next().catch(report)}>Older keys</button></p>}
      {making && <NewKey onClose={() => setMaking(false)} onMade={(key) => { setMaking(false); setMade(key); keys.reload(); }} />}
      {made?.key && <SecretOnce title={`The key ${made.name}`} secret={made.key} onClose={() => setMade(null)}>Copy it now: only its fingerprint is stored, and nobody can show it again.</SecretOnce>}
      {leaving && <Confirm title={`Revoke ${leaving.name}?`} action="Revoke" danger onConfirm={() => revoke(leaving)} onClose={() => setLeaving(null)}>Whoever uses it is refused from then on. This cannot be undone.</Confirm>}
    </Panel>
  );
}
