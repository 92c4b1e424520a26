// Tables that sort, on TanStack Table; for rows that fit into memory. Long lists come page by page: see paged.ts.

import { createSortedRowModel, rowSortingFeature, sortFns, tableFeatures, useTable, type ColumnDef } from "@tanstack/preact-table";
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel(), sortFns });

export interface Column<Row> {
  /** Unique in its table. */
  key: string;
  title: string;
  /** What it is sorted by, and shown where `cell` is not given. */
  value: (row: Row) => string | number | null;
  cell?: (row: Row) => ComponentChildren;
  /** Right-aligned. */
  numeric?: boolean;
}

interface Props<Row> {
  /** What the table holds, for people who do not see it. */
  label: string;
  rows: Row[];
  columns: Column<Row>[];
  rowKey: (row: Row) => string;
  /** The column it is sorted by at first; without it rows stay in their order. */
  sortedBy?: { key: string; descending?: boolean };
  /** True for rows that are chosen. */
  chosen?: (row: Row) => boolean;
}

export function Table<Row>({ label, rows, columns, rowKey, sortedBy, chosen }: Props<Row>) {
  const definitions = useMemo(() => columns.map((column) => ({
    id: column.key,
    accessorFn: (row: Row) => column.value(row) ?? undefined,
    sortUndefined: "last",
    enableSorting: true,
  })) as unknown as ColumnDef<typeof features, object>[], [columns]);
  const table = useTable({
    features,
    columns: definitions,
    data: rows as object[],
    getRowId: (row: object) => rowKey(row as Row),
    initialState: { sorting: sortedBy ? [{ id: sortedBy.key, desc: sortedBy.descending ?? false }] : [] },
  });
  const sorting = table.state.sorting;
  return (
    <div class="table-box" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => {
              const order = sorting.find(({ id }) => id === column.key);
              return (
                <th key={column.key} scope="col" class={column.numeric ? "number" : ""} aria-sort={order ? (order.desc ? "descending" : "ascending") : undefined}>
                  {column.title && (
                    <button type="button" onClick={() => table.getColumn(column.key)?.toggleSorting()}>
                      {column.title}<span aria-hidden="true">{order ? (order.desc ? "↓" : "↑") : ""}</span>
                    </button>
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {table.getRowModel().rows.map(({ id, original }) => {
            const row = original as Row;
            return (
              <tr key={id} data-row={id} class={chosen?.(row) ? "chosen" : ""}>
                {columns.map((column) => (
                  <td key={column.key} class={column.numeric ? "number" : ""}>{column.cell ? column.cell(row) : (column.value(row) ?? "–")}</td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
