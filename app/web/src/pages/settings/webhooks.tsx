// Webhooks: where the ends of jobs are posted, trying one, and the log of what was sent.

import { useEffect, useState } from "preact/hooks";
import { patch, post, remove } from "../../api/http";
import type { Delivery, Webhook } from "../../api/learning";
import { Problem } from "../../api/problem";
import { usePaged } from "../../paged";
import { Confirm, Dialog } from "../../ui/dialog";
import { Chips, Trouble } from "../../ui/forms";
import { attempt, report, tell } from "../../ui/notices";
import { Ago, Badge, CannotShow, Empty, Field, Panel } from "../../ui/parts";
import { type Column, Table } from "../../ui/table";
import { SecretOnce } from "./keys";

const EVENTS = ["job.succeeded", "job.failed", "job.cancelled"];

function NewWebhook({ onClose, onMade }: { onClose: () => void; onMade: (webhook: Webhook) => void }) {
  const [url, setUrl] = useState("");
  const [events, setEvents] = useState(EVENTS);
  const [kinds, setKinds] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const make = async () => {
    const only = kinds.split(",").map((kind) => kind.trim()).filter(Boolean);
    try {
      const { body } = await post<Webhook>("/v1/webhooks", { url, events, ...(only.length ? { kinds: only } : {}) });
      onMade(body);
    } catch (error) {
      setProblem(Problem.of(error));
    }
  };
  return (
    <Dialog title="Add a webhook" onClose={onClose}>
      <form class="stack" onSubmit={(event) => { event.preventDefault(); void make(); }}>
        <Field label="Address" hint="http or https; it is called from the server."><input type="url" id="webhook-url" required value={url} onInput={(event) => setUrl(event.currentTarget.value)} /></Field>
        <Chips label="When a job" options={EVENTS.map((value) => ({ value, words: value.replace("job.", "") }))} chosen={events} onChange={setEvents} />
        <Field label="Only jobs of these kinds" hint="Such as training.run, evaluation.run; empty: all."><input type="text" value={kinds} onInput={(event) => setKinds(event.currentTarget.value)} /></Field>
        <Trouble problem={problem} />
        <div class="row end"><button type="submit" class="button primary" disabled={!events.length}>Add the webhook</button></div>
      </form>
    </Dialog>
  );
}

/** How often the log is read again while something in it is on its way. */
const AGAIN_MS = 2000;

function Log({ webhook }: { webhook: Webhook }) {
  const log = usePaged<Delivery>(`/v1/webhooks/${webhook.id}/deliveries`, {}, 20);
  const waiting = log.rows.some(({ status, attempts }) => status === "queued" && attempts === 0);
  useEffect(() => {
    if (!waiting) return undefined;
    const timer = setInterval(log.reload, AGAIN_MS);
    return () => clearInterval(timer);
  }, [waiting]);
  const again = (one: Delivery) => attempt(async () => {
    await post(`/v1/webhooks/${webhook.id}/deliveries/${one.id}/retry`);
    log.reload();
  });
  const columns: Column<Delivery>[] = [
    { key: "event", title: "Event", value: (row) => row.event },
    { key: "status", title: "State", value: (row) => row.status, cell: (row) => <Badge tone={row.status === "delivered" ? "good" : row.status === "failed" ? "bad" : "busy"}>{row.status}</Badge> },
    { key: "answer", title: "Answer", value: (row) => row.response_status, cell: (row) => <span>{row.response_status ?? ""} {row.error && <span class="soft small">{row.error}</span>}</span> },
    { key: "attempts", title: "Tries", value: (row) => row.attempts, numeric: true },
    { key: "created", title: "When", value: (row) => row.created_at, cell: (row) => <Ago time={row.created_at} /> },
    { key: "act", title: "", value: () => null, cell: (row) => <button type="button" class="button small" aria-label={`Send ${row.event} again`} onClick={() => again(row)}>Send again</button> },
  ];
  return (
    <div class="stack tight" data-log={webhook.id}>
      <div class="row"><h3>Sent</h3><button type="button" class="button small quiet push" onClick={log.reload}>Look again</button></div>
      {!log.loading && !log.rows.length && <p class="soft small">Nothing was sent yet.</p>}
      {log.rows.length > 0 && <Table label={`What was sent to ${webhook.url}`} rows={log.rows} columns={columns} rowKey={(row) => row.id} />}
      {log.more && <p class="more"><button type="button" class="button small" onClick={() => log.next().catch(report)}>Older</button></p>}
    </div>
  );
}

function WebhookBox({ webhook, onChange }: { webhook: Webhook; onChange: () => void }) {
  const [open, setOpen] = useState(false);
  const [turn, setTurn] = useState(0);
  const [leaving, setLeaving] = useState(false);
  const test = () => attempt(async () => {
    await post(`/v1/webhooks/${webhook.id}/test`);
    tell("A test is on its way");
    setOpen(true);
    setTurn((before) => before + 1);
  });
  const setActive = () => attempt(async () => {
    await patch(`/v1/webhooks/${webhook.id}`, { active: !webhook.active });
    onChange();
  });
  const forget = () => attempt(async () => {
    await remove(`/v1/webhooks/${webhook.id}`);
    onChange();
  }).then(() => setLeaving(false));
  return (
    <li class="webhook" data-webhook={webhook.id}>
      <div class="row wrap">
        <strong class="webhook-url">{webhook.url}</strong>
        <Badge tone={webhook.active ? "good" : "plain"}>{webhook.active ? "active" : "off"}</Badge>
        <span class="soft small">{webhook.events.map((event) => event.replace("job.", "")).join(", ")}{webhook.kinds ? `, only ${webhook.kinds.join(", ")}` : ""}</span>
        <span class="row push wrap">
          <button type="button" class="button small" onClick={test}>Test</button>
          <button type="button" class="button small" aria-expanded={open} onClick={() => setOpen(!open)}>Log</button>
          <button type="button" class="button small" onClick={setActive}>{webhook.active ? "Switch off" : "Switch on"}</button>
          <button type="button" class="button small danger" onClick={() => setLeaving(true)}>Delete</button>
        </span>
      </div>
      {open && <Log key={turn} webhook={webhook} />}
      {leaving && <Confirm title="Delete this webhook?" action="Delete" danger onConfirm={forget} onClose={() => setLeaving(false)}>Nothing is posted to {webhook.url} any more, and its log is forgotten.</Confirm>}
    </li>
  );
}

export function Webhooks() {
  const webhooks = usePaged<Webhook>("/v1/webhooks");
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<Webhook | null>(null);
  return (
    <Panel title="Webhooks" actions={<button type="button" class="button primary small" id="new-webhook" onClick={() => setAdding(true)}>Add a webhook</button>}>
      {webhooks.problem && <CannotShow what="The webhooks" problem={webhooks.problem} again={webhooks.reload} />}
      {!webhooks.loading && !webhooks.problem && !webhooks.rows.length && <Empty title="No webhooks">Have the ends of jobs posted to a server of yours, signed as Standard Webhooks says.</Empty>}
      <ul class="stack">{webhooks.rows.map((webhook) => <WebhookBox key={webhook.id} webhook={webhook} onChange={webhooks.reload} />)}</ul>
      {adding && <NewWebhook onClose={() => setAdding(false)} onMade={(webhook) => { setAdding(false); setMade(webhook); webhooks.reload(); }} />}
      {made?.secret && <SecretOnce title="The webhook's secret" secret={made.secret} onClose={() => setMade(null)}>Your server checks signatures with it. Copy it now: it is not shown again.</SecretOnce>}
    </Panel>
  );
}
