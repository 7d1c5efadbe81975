// Values as people read them.
import type { Field, FieldConfig } from './frame.ts'
import { formatTime } from './time.ts'
import { formatNumber } from './unit.ts'

export { formatAgo, formatTime } from './time.ts'
export { formatBytes, formatNumber, formatSeconds } from './unit.ts'

export const formatCount = (value: number) => value.toLocaleString('en-US')

/** One value of a field as text; '' for none, unless the field has a word for that. */
export function formatValue(value: unknown, field: Field): string {
  const mapped = mappingOf(value, field.config)?.text
  if (mapped) return mapped
  if (value === null || value === undefined) return field.config.noValue ?? ''
  const { unit, decimals } = field.config
  switch (field.type) {
    case 'time': return typeof value !== 'number' ? String(value) : unit?.startsWith('time:') || unit?.startsWith('dateTime') ? formatNumber(value, unit) : formatTime(value)
    case 'number': return typeof value === 'number' ? formatNumber(value, unit, decimals ?? undefined) : String(value)
    case 'enum': return field.config.type?.enum?.text?.[value as number] ?? String(value)
    default: return typeof value === 'object' ? JSON.stringify(value) : String(value)
  }
}

/** The colour that a field's config gives a value, by a name that colorOf knows. */
export function colorName(value: unknown, field: Field): string | undefined {
  const { config } = field
  const mapped = mappingOf(value, config)?.color
  if (mapped) return mapped
  if (field.type === 'enum') return config.type?.enum?.color?.[value as number]
  return typeof value === 'number' && field.type === 'number' ? thresholdOf(value, config) : undefined
}

/** Thresholds that are more than their base, in the values that they are of. */
export function thresholdsOf(config: FieldConfig): { value: number; color?: string }[] {
  const { mode, steps = [] } = config.thresholds ?? {}
  const [min, max] = [config.min ?? 0, config.max ?? 100]
  return steps.filter((step) => typeof step.value === 'number').map(({ value, color }) => ({ color, value: mode === 'percentage' ? min + ((max - min) * value!) / 100 : value! }))
}

function thresholdOf(value: number, config: FieldConfig): string | undefined {
  const base = config.thresholds?.steps?.find((step) => typeof step.value !== 'number')?.color
  return thresholdsOf(config).findLast((step) => value >= step.value)?.color ?? base
}

interface MappingResult {
  text?: string
  color?: string
}

/** What a value is shown as instead, by the first mapping that is of it. */
function mappingOf(value: unknown, config: FieldConfig): MappingResult | undefined {
  for (const { type, options } of config.mappings ?? []) {
    const { match, pattern, from, to, result } = options as { match?: string; pattern?: string; from?: number | null; to?: number | null; result?: MappingResult }
    if (type === 'value') {
      const found = Object.hasOwn(options, String(value)) ? (options as Record<string, MappingResult>)[String(value)] : undefined
      if (found) return found
    } else if (type === 'range' && typeof value === 'number' && value >= (from ?? -Infinity) && value <= (to ?? Infinity)) return result
    else if (type === 'special' && isSpecial(value, match)) return result
    else if (type === 'regex' && typeof value === 'string' && matches(value, pattern)) return result
  }
  return undefined
}

function isSpecial(value: unknown, match = ''): boolean {
  const none = value === null || value === undefined
  switch (match) {
    case 'true': return value === true
    case 'false': return value === false
    case 'null': return none
    case 'nan': return Number.isNaN(value)
    case 'null+nan': return none || Number.isNaN(value)
    case 'empty': return value === ''
    default: return false
  }
}

function matches(value: string, pattern = ''): boolean {
  try {
    return new RegExp(pattern.replace(/^\/(.*)\/\w*$/s, '$1')).test(value)
  } catch {
    return false
  }
}
