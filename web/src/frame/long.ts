// Many frames of one series each as one table, where labels are columns.
import { isNumeric, isTime, titleOf, type Field, type Frame } from './frame.ts'

// A table of more rows than this is not made.
const most = 1_000_000

/** For every query that is answered with several frames of a time and a number each, these in one. */
export function longOf(frames: Frame[]): Frame[] {
  const series = frames.filter((frame) => frame.fields.length === 2 && isTime(frame.fields[0]) && isNumeric(frame.fields[1]))
  return [...Map.groupBy(series, (frame) => frame.refId)].flatMap(([refId, group]) => {
    const length = group.reduce((sum, frame) => sum + frame.length, 0)
    return group.length > 1 && length <= most ? [merged(refId, group, length)] : []
  })
}

function merged(refId: string, frames: Frame[], length: number): Frame {
  const values = frames.map((frame) => frame.fields[1])
  const keys = [...new Set(values.flatMap((field) => Object.keys(field.labels ?? {})))].sort()
  const names = keys.length ? [] : [texts('name', frames, titleOf)]
  return {
    name: `all ${frames.length} frames`, refId, meta: {}, length,
    fields: [
      { ...frames[0].fields[0], values: frames.flatMap((frame) => frame.fields[0].values) },
      ...names,
      ...keys.map((key) => texts(key, frames, (field) => field.labels?.[key] ?? '')),
      { ...values[0], labels: undefined, config: { ...values[0].config, displayName: undefined, displayNameFromDS: undefined }, values: values.flatMap((field) => field.values) },
    ],
  }
}

/** A column that says the same of every row of a frame. */
const texts = (name: string, frames: Frame[], of: (field: Field) => string): Field => ({
  name, type: 'string', config: {}, values: frames.flatMap((frame) => new Array<string>(frame.length).fill(of(frame.fields[1]))),
})
