// What the page tells the tool.

/** The largest relative differences between GPU and reference, by array, a record a scene. */
export type PageReport = {
  readonly adapter: string;
  readonly differences: readonly Readonly<Record<string, number>>[];
  readonly error: string | null;
};
