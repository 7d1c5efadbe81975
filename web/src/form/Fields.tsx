import { useId, useState } from 'react'
import type { Schema } from '../api/types.ts'

type Values = Record<string, unknown>

interface FieldsProps {
  /** Of an object. */
  schema: Schema
  value: Values
  onChange: (value: Values) => void
  /** The secrets that are kept already, by their names. */
  kept?: Record<string, boolean>
}

/** A form for an object, by its schema. What is emptied is left out of the value. */
export function Fields({ schema, value, onChange, kept }: FieldsProps) {
  const set = (name: string, to: unknown) => {
    const { [name]: _, ...others } = value
    onChange(to === undefined ? others : { ...others, [name]: to })
  }
  return Object.entries(schema.properties ?? {}).map(([name, property]) => (
    <Field key={name} name={name} schema={property} value={value[name]} required={schema.required?.includes(name) ?? false} kept={kept?.[name]} onChange={(to) => set(name, to)} />
  ))
}

interface FieldProps {
  name: string
  schema: Schema
  value: unknown
  required: boolean
  kept?: boolean
  onChange: (value: unknown) => void
}

function Field(field: FieldProps) {
  const { name, schema, value, required, onChange } = field
  const id = useId()
  const title = schema.title ?? name
  if (schema.type === 'boolean') {
    return (
      <label className="field check">
        <input type="checkbox" checked={value === true} onChange={(event) => onChange(event.target.checked || undefined)} />
        <span>{title}{schema.description && <small>{schema.description}</small>}</span>
      </label>
    )
  }
  return (
    <div className={`field ${isWide(schema) ? 'wide' : ''}`}>
      <label htmlFor={id}>{title}{required && <span aria-hidden="true"> *</span>}</label>
      <Input {...field} id={id} />
      {schema.description && <small id={`${id}-about`}>{schema.description}</small>}
    </div>
  )
}

const isWide = (schema: Schema) => schema.format === 'multiline' || schema.type === 'object' || schema.type === 'array'

function Input(props: FieldProps & { id: string }) {
  const { id, schema, value, required, onChange, kept } = props
  const about = schema.description ? `${id}-about` : undefined
  const example = schema.examples?.find((e) => typeof e !== 'object')
  const same = { id, required, 'aria-describedby': about, placeholder: example === undefined ? undefined : String(example) }
  const text = value === undefined || value === null ? '' : String(value)
  if (kept && value === undefined) return <KeptSecret onReplace={() => onChange('')} id={id} />
  if (schema.enum) {
    return (
      <select id={id} required={required} aria-describedby={about} value={text} onChange={(event) => onChange(schema.enum!.find((e) => String(e) === event.target.value))}>
        <option value="">{schema.default === undefined ? '' : `${schema.default} (default)`}</option>
        {schema.enum.map((e) => <option key={String(e)}>{String(e)}</option>)}
      </select>
    )
  }
  if (schema.type === 'integer' || schema.type === 'number') {
    return <input {...same} type="number" step={schema.type === 'integer' ? 1 : 'any'} value={text} onChange={(event) => onChange(event.target.value === '' ? undefined : event.target.valueAsNumber)} />
  }
  if (schema.type === 'object' || schema.type === 'array') return <JSONInput {...props} />
  if (schema.format === 'multiline') return <textarea {...same} rows={3} value={text} spellCheck={false} onChange={(event) => onChange(event.target.value || undefined)} />
  const offered = (schema.examples ?? []).filter((e) => typeof e !== 'object')
  return (
    <>
      <input {...same} type={schema.format === 'password' ? 'password' : 'text'} autoComplete={schema.format === 'password' ? 'new-password' : 'off'} spellCheck={false}
        list={offered.length > 1 ? `${id}-list` : undefined} value={text} onChange={(event) => onChange(event.target.value === '' && !kept ? undefined : event.target.value)} />
      {offered.length > 1 && <datalist id={`${id}-list`}>{offered.map((e) => <option key={String(e)} value={String(e)} />)}</datalist>}
    </>
  )
}

/** A secret that the server has: it can be replaced, never read. */
function KeptSecret({ id, onReplace }: { id: string; onReplace: () => void }) {
  return (
    <div className="kept">
      <input id={id} disabled value="configured" />
      <button type="button" className="button" onClick={onReplace}>Replace</button>
    </div>
  )
}

/** What has no simple form, as JSON. What is not JSON yet is not taken over. */
function JSONInput({ id, schema, value, onChange }: FieldProps & { id: string }) {
  const [text, setText] = useState(() => (value === undefined ? '' : JSON.stringify(value)))
  const [fault, setFault] = useState('')
  const change = (text: string) => {
    setText(text)
    try {
      onChange(text.trim() === '' ? undefined : JSON.parse(text))
      setFault('')
    } catch (error) {
      setFault((error as Error).message)
    }
  }
  return (
    <>
      <input id={id} value={text} spellCheck={false} placeholder={schema.type === 'array' ? '[]' : '{}'} aria-invalid={!!fault} onChange={(event) => change(event.target.value)} />
      {fault && <small className="fault">{fault}</small>}
    </>
  )
}
