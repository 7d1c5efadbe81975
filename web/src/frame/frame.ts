// Frames: tables of named, typed columns, as the API sends them in JSON.

export type FieldType = 'time' | 'number' | 'string' | 'boolean' | 'enum' | 'other' | (string & {})

export interface Field {
  name: string
  type: FieldType
  labels?: Record<string, string>
  config: FieldConfig
  /** Times are Unix milliseconds; null is no value. */
  values: unknown[]
}

export interface FieldConfig {
  displayName?: string
  displayNameFromDS?: string
  unit?: string
  decimals?: number | null
  min?: number | null
  max?: number | null
  noValue?: string
  description?: string
  color?: { mode?: string; fixedColor?: string }
  mappings?: { type: string; options: object }[]
  thresholds?: { mode?: string; steps?: { value?: number | null; color?: string }[] }
  links?: Link[]
  type?: { enum?: { text?: string[]; color?: string[] } }
  custom?: { spanNulls?: boolean | number; drawStyle?: string }
}

/** A link behind every value of a field. */
export interface Link {
  title?: string
  url?: string
  targetBlank?: boolean
  internal?: { query?: unknown; datasourceUid?: string } | null
}

export interface Frame {
  name: string
  refId: string
  meta: { type?: string; channel?: string; preferredVisualisationType?: string; executedQueryString?: string; notices?: Notice[] }
  fields: Field[]
  length: number
}

/** What is said to people beside the data. */
export interface Notice {
  severity: string
  text: string
  link?: string
}

export interface FrameJSON {
  schema?: { name?: string; refId?: string; meta?: Frame['meta']; fields: Partial<Field>[] }
  data?: { values?: unknown[][]; entities?: (Entities | null)[] | null }
}

/** Where in a column the numbers are that JSON has no way to say. */
interface Entities {
  NaN?: number[]
  Inf?: number[]
  NegInf?: number[]
}

/** Reads a frame. Its columns are those of the JSON, not copies. */
export function readFrame(json: FrameJSON): Frame {
  const columns = readColumns(json.data)
  const fields = (json.schema?.fields ?? []).map((field, i): Field => ({
    name: field.name || `field ${i + 1}`,
    type: field.type ?? 'other',
    labels: field.labels,
    config: field.config ?? {},
    values: columns[i] ?? [],
  }))
  const { name = '', refId = '', meta } = json.schema ?? {}
  return { name, refId, meta: meta ?? {}, fields, length: fields[0]?.values.length ?? 0 }
}

/** Reads the columns of a frame, or of the rows that follow one in a stream. */
export function readColumns(data: FrameJSON['data']): unknown[][] {
  const columns = data?.values ?? []
  data?.entities?.forEach((entities, i) => {
    entities?.NaN?.forEach((row) => (columns[i][row] = NaN))
    entities?.Inf?.forEach((row) => (columns[i][row] = Infinity))
    entities?.NegInf?.forEach((row) => (columns[i][row] = -Infinity))
  })
  return columns
}

/** The name of a field for people: the one that it was given, or its own with its labels. */
export function titleOf(field: Field): string {
  const { displayName, displayNameFromDS } = field.config
  return displayName || displayNameFromDS || field.name + labelsOf(field)
}

function labelsOf(field: Field): string {
  const labels = Object.entries(field.labels ?? {})
  return labels.length ? ` {${labels.map(([key, value]) => `${key}="${value}"`).join(', ')}}` : ''
}

export const isNumeric = (field: Field) => field.type === 'number'

export const isTime = (field: Field) => field.type === 'time'
