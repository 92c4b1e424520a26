// Line charts on uPlot. Import this module only from pages that draw charts: it brings its library along.

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "./chart.css";
import { colorOf, theme } from "../theme";

export interface Line {
  name: string;
  /** Ascending x and y of the same length; null breaks the line. */
  x: number[];
  y: (number | null)[];
  /** Name of a colour in tokens.css; by default one of the palette in turn. */
  color?: string;
  dashed?: boolean;
}

const PALETTE = ["--accent", "--amber", "--blue", "--violet", "--red"];

interface Props {
  /** What the chart shows, for people who do not see it. */
  label: string;
  lines: Line[];
  xName: string;
  height?: number;
  /** How values are written; by default four digits. */
  format?: (value: number) => string;
  logarithmic?: boolean;
}

const short = (value: number): string => value.toLocaleString("en", { maximumSignificantDigits: 4 });

export function Chart({ label, lines, xName, height = 260, format = short, logarithmic = false }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shape = JSON.stringify([lines.map(({ name, color, dashed }) => [name, color, dashed]), xName, height, logarithmic, theme.value]);
  const data = () => uPlot.join(lines.map(({ x, y }) => [x, y] as uPlot.AlignedData));

  useEffect(() => {
    const node = box.current!;
    const axis = { stroke: colorOf("--soft"), grid: { stroke: colorOf("--line"), width: 1 }, ticks: { stroke: colorOf("--line"), width: 1 } };
    const made = new uPlot({
      width: Math.max(200, node.clientWidth),
      height,
      scales: { x: { time: false }, y: { distr: logarithmic ? 3 : 1 } },
      legend: { live: true },
      axes: [{ ...axis, label: xName, labelSize: 20, size: 34 }, { ...axis, size: 56, values: (_, values) => values.map((value) => (value === null ? "" : format(value))) }],
      series: [
        { label: xName, value: (_, value) => (value === null ? "–" : short(value)) },
        ...lines.map(({ name, color, dashed }, index) => ({
          label: name, stroke: colorOf(color ?? PALETTE[index % PALETTE.length]!), width: 2, spanGaps: true, points: { show: false },
          ...(dashed ? { dash: [6, 4] } : {}), value: (_: uPlot, value: number | null) => (value === null ? "–" : format(value)),
        })),
      ],
    }, lines.length ? data() : [[]], node);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: Math.max(200, node.clientWidth), height }));
    observer.observe(node);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    if (lines.length) plot.current?.setData(data());
  }, [lines]);

  return <div ref={box} class="chart" role="img" aria-label={label} />;
}
