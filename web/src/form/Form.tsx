import { useState } from 'react'
import type { Schema } from '../api/types.ts'
import { Field, type Values } from './Field.tsx'

/** An object that is a part of what a form is of. */
export interface Part {
  schema: Schema
  value: Values
  onChange: (value: Values) => void
  /** The secrets that are kept already, by their names. */
  kept?: Record<string, boolean>
}

interface FormProps {
  parts: Part[]
  /** The data source whose resources list values, if there is one yet. */
  uid?: string
  /** Is called by Ctrl+Enter in an editor. */
  onRun?: () => void
  /** How fields stand beside each other. */
  className: string
}

interface Placed {
  part: Part
  name: string
  group: string
}

/** A form for several objects: first the fields of no group, then each group, folded away until it has a value. */
export function Form({ parts, uid, onRun, className }: FormProps) {
  const placed = parts.flatMap((part) => Object.entries(part.schema.properties ?? {}).map(([name, schema]): Placed => ({ part, name, group: schema['x-plugboard-group'] ?? '' })))
  const groups = Map.groupBy(placed, (field) => field.group)
  const draw = (fields: Placed[] = []) => fields.length > 0 && <div className={className}>{fields.map(({ part, name }) => <FieldOf key={`${parts.indexOf(part)} ${name}`} part={part} name={name} uid={uid} onRun={onRun} />)}</div>
  return (
    <>
      {draw(groups.get(''))}
      {groups.size > (groups.has('') ? 1 : 0) && (
        <div className="groups">{[...groups].filter(([group]) => group !== '').map(([group, fields]) => <Group key={group} title={group} open={fields.some(isSet)}>{draw(fields)}</Group>)}</div>
      )}
    </>
  )
}

function Group({ title, open, children }: { title: string; open: boolean; children: React.ReactNode }) {
  // A group stays open while its last value is removed.
  const [opened] = useState(open)
  return <details className="more" open={opened || undefined}><summary>{title}</summary>{children}</details>
}

const isSet = ({ part, name }: Placed) => {
  const value = part.value[name]
  return (value !== undefined && value !== null && value !== '' && value !== false) || part.kept?.[name] === true || part.schema.required?.includes(name) === true
}

function FieldOf({ part: { schema, value, onChange, kept }, name, uid, onRun }: { part: Part; name: string; uid?: string; onRun?: () => void }) {
  const set = (to: unknown) => {
    const { [name]: _, ...others } = value
    onChange(to === undefined ? others : { ...others, [name]: to })
  }
  return <Field name={name} schema={schema.properties![name]} values={value} required={schema.required?.includes(name) ?? false} kept={kept?.[name]} uid={uid} onRun={onRun} onChange={set} />
}
