import { backend } from "../serving/backend";
import { Names, waitsFor } from "./names";
import { type RecordedResource, type Recording, isProvider, kindOf } from "./recording";
import { childrenOf } from "./tree";

/** Colours by what a resource is for; the rest is white. */
const fills: Readonly<Record<string, string>> = {
  Release: "#dbeafe",
  [backend.kind]: "#dcfce7",
  Job: "#fef3c7",
  Image: "#f3e8ff",
  Secret: "#fee2e2",
  RandomPassword: "#fee2e2",
  Namespace: "#f1f5f9",
  NetworkPolicy: "#f1f5f9",
};

/** Texts are laid out larger than they are drawn, since the reader's font may be wider than the Arial of the layout. */
const fontSizes = [
  { laidOut: 15, drawn: 12 },
  { laidOut: 13, drawn: 11 },
] as const;

/** Resources of a component that are of one kind, wait for the same and are waited for by the same: one box. */
interface Box {
  readonly id: string;
  readonly members: readonly RecordedResource[];
}

/**
 * The resources as a picture in SVG: components as frames, resources as boxes, and an arrow from each to what has to
 * wait for it. The program's root and providers are left out. The same recording gives the same picture.
 */
export async function graphSvg(recording: Recording): Promise<string> {
  // It is 800 KB of WebAssembly, for this alone.
  const { Graphviz } = await import("@hpcc-js/wasm-graphviz");
  const graphviz = await Graphviz.load();
  // The document type would have a browser look for it on the network.
  let svg = graphviz.dot(graphDot(recording), "svg").replace(/^[\s\S]*?(?=<svg)/, "");
  svg = svg.replace(/<!--[\s\S]*?-->\n?/g, "").trim();
  for (const { laidOut, drawn } of fontSizes)
    svg = svg.replaceAll(`font-size="${laidOut.toFixed(2)}"`, `font-size="${drawn}"`);
  return `${svg}\n`;
}

/** The picture in Graphviz's language. */
export function graphDot(recording: Recording): string {
  const names = new Names(recording);
  const children = childrenOf(recording, names);
  const waits = waitsFor(recording, names);
  const boxes = boxesOf(recording, waits, endsOf);
  const boxByUrn = new Map(boxes.flatMap((box) => box.members.map(({ urn }) => [urn, box] as const)));
  const edges = [...waits].flatMap(([urn, before]) =>
    endsOf(urn).flatMap((end) =>
      before.map((one) => `  ${boxByUrn.get(one)?.id ?? ""} -> ${boxByUrn.get(end)?.id ?? ""};`),
    ),
  );
  const [frameFont, boxFont] = fontSizes;
  return [
    "digraph resources {",
    '  rankdir=LR; ranksep=0.5; nodesep=0.12; newrank=true; bgcolor="white";',
    `  graph [fontname="Arial,Helvetica,sans-serif", fontsize=${frameFont.laidOut}, labeljust=l];`,
    '  node [shape=box, style="filled,rounded", fillcolor="white", color="#94a3b8", margin="0.1,0.05",',
    `    fontname="Arial,Helvetica,sans-serif", fontsize=${boxFont.laidOut}];`,
    '  edge [color="#64748b", arrowsize=0.6];',
    ...inside(root(), "  "),
    ...new Set(edges),
    "}",
  ].join("\n");

  /** A component around everything would be a frame that says nothing: what is in it stands free. */
  function root(): string {
    const [only, ...others] = (children.get("") ?? []).filter((resource) => !isProvider(resource));
    return others.length === 0 && only?.custom === false ? only.urn : "";
  }

  /** The boxes that an arrow to the resource ends at; a component that waits has all its parts wait. */
  function endsOf(urn: string): string[] {
    if (names.get(urn)?.custom === true) return [urn];
    return (children.get(urn) ?? []).flatMap((child) => endsOf(child.urn));
  }

  function inside(parent: string, indent: string): string[] {
    const drawn = (children.get(parent) ?? []).filter((resource) => !isProvider(resource));
    const components = drawn.filter(({ custom }) => !custom).flatMap(frame);
    const own = new Set(drawn.map(({ urn }) => boxByUrn.get(urn)).filter((box) => box !== undefined));
    return [...[...own].map(boxLine), ...components].map((line) => indent + line);
  }

  function frame(component: RecordedResource): string[] {
    return [
      `subgraph cluster_${recording.resources.indexOf(component)} {`,
      `  label=<<b>${escaped(`${kindOf(component)} ${names.inComponent(component)}`)}</b>>;`,
      '  style="rounded"; color="#cbd5e1"; margin=10;',
      ...inside(component.urn, "  "),
      "}",
    ];
  }

  function boxLine({ id, members }: Box): string {
    const [first] = members;
    const kind = first === undefined ? "" : kindOf(first);
    const fill = fills[kind] === undefined ? "" : `, fillcolor="${fills[kind]}"`;
    // A label in HTML would place each line by the width that the layout took it for.
    const label = [kind, ...members.map((member) => names.inComponent(member))].map(quoted).join("\\n");
    return `${id} [label="${label}"${fill}];`;
  }
}

function boxesOf(
  recording: Recording,
  waits: ReadonlyMap<string, readonly string[]>,
  endsOf: (urn: string) => string[],
): Box[] {
  const after = new Map<string, string[]>();
  const before = new Map<string, string[]>();
  const add = (map: Map<string, string[]>, key: string, value: string) =>
    map.set(key, [...(map.get(key) ?? []), value]);
  for (const [urn, waited] of waits)
    for (const end of endsOf(urn))
      for (const one of waited) {
        add(after, one, end);
        add(before, end, one);
      }
  const groups = new Map<string, RecordedResource[]>();
  for (const resource of recording.resources) {
    if (!resource.custom || isProvider(resource)) continue;
    const { urn, type, parent } = resource;
    const ends = [before.get(urn), after.get(urn)].map((urns = []) => [...urns].sort().join());
    // What stands alone stays alone: two images are two builds.
    const key = ends.every((end) => end === "") ? urn : [type, parent, ...ends].join("\n");
    groups.set(key, [...(groups.get(key) ?? []), resource]);
  }
  return [...groups.values()].map((members, index) => ({ id: `r${index}`, members }));
}

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function quoted(text: string): string {
  return text.replace(/["\\]/g, "\\$&");
}
