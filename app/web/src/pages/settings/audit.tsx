// The audit log: who did what to keys, webhooks and deployments.

import type { AuditEntry } from "../../api/learning";
import { usePaged } from "../../paged";
import { report } from "../../ui/notices";
import { Ago, CannotShow, Empty, Panel } from "../../ui/parts";
import { type Column, Table } from "../../ui/table";

const COLUMNS: Column<AuditEntry>[] = [
  { key: "created", title: "When", value: (row) => row.created_at, cell: (row) => <Ago time={row.created_at} /> },
  { key: "action", title: "What", value: (row) => row.action },
  { key: "actor", title: "Who", value: (row) => row.actor },
  { key: "detail", title: "Of what", value: (row) => row.subject, cell: (row) => <span class="small">{Object.entries(row.detail).filter(([, value]) => typeof value !== "object" || value === null).map(([name, value]) => `${name} ${String(value)}`).join(", ") || <code>{row.subject}</code>}</span> },
];

export function Audit() {
  const entries = usePaged<AuditEntry>("/v1/audit");
  return (
    <Panel title="Audit log">
      {entries.problem && <CannotShow what="The log" problem={entries.problem} again={entries.reload} />}
      {!entries.loading && !entries.problem && !entries.rows.length && <Empty title="Nothing happened yet">Keys, webhooks and deployments leave a line here; nobody can change it.</Empty>}
      {entries.rows.length > 0 && <Table label="Audit log, newest first" rows={entries.rows} columns={COLUMNS} rowKey={(row) => row.id} />}
      {entries.more && <p class="more"><button type="button" class="button small" onClick={() => entries.next().catch(report)}>Older entries</button></p>}
    </Panel>
  );
}
