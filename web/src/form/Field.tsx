import { lazy, Suspense, useId, useState } from 'react'
import type { Schema } from '../api/types.ts'
import { isObject } from '../explore/state.ts'
import { Icon } from '../ui/icons.tsx'
import { useOptions, type Option } from './options.ts'

const TextEditor = lazy(() => import('./TextEditor.tsx'))

export type Values = Record<string, unknown>

interface FieldProps {
  name: string
  schema: Schema
  /** The object that the field is of. */
  values: Values
  required: boolean
  /** Whether it is a secret that is kept already. */
  kept?: boolean
  /** The data source whose resources list values. */
  uid?: string
  /** Is called by Ctrl+Enter in an editor. */
  onRun?: () => void
  /** Takes the field's new value, undefined for none. */
  onChange: (value: unknown) => void
}

/** A field of a form, by its schema. */
export function Field(field: FieldProps) {
  const { name, schema, values, required, uid, onChange } = field
  const id = useId()
  const title = schema.title ?? name
  const value = values[name]
  if (schema.type === 'boolean') {
    const usual = schema.default === true
    return (
      <label className="field check">
        <input type="checkbox" checked={value === undefined || value === null ? usual : value === true} onChange={(event) => onChange(event.target.checked === usual ? undefined : event.target.checked)} />
        <span>{title}{schema.description && <small>{schema.description}</small>}</span>
      </label>
    )
  }
  if (schema.type === 'object' && schema.properties) {
    return (
      <fieldset className="field wide nested">
        <legend className={title === schema['x-plugboard-group'] ? 'unseen' : ''}>{title}</legend>
        {schema.description && <small>{schema.description}</small>}
        <Nested schema={schema} value={isObject(value) ? value : {}} uid={uid} onChange={(to) => onChange(Object.keys(to).length ? to : undefined)} />
      </fieldset>
    )
  }
  return (
    <div className={`field ${isWide(schema) ? 'wide' : ''}`}>
      <label htmlFor={hasEditor(schema) ? undefined : id}>{schema.writeOnly && <Icon name="lock" />}{title}{required && <span aria-hidden="true"> *</span>}</label>
      <Input {...field} id={id} />
      {schema.description && <small id={`${id}-about`}>{schema.description}</small>}
    </div>
  )
}

/** The fields of an object inside of another. None is missed as long as there is none. */
function Nested({ schema, value, uid, onChange }: { schema: Schema; value: Values; uid?: string; onChange: (value: Values) => void }) {
  const begun = Object.keys(value).length > 0
  return (
    <div className="query-fields">
      {Object.entries(schema.properties!).map(([name, property]) => {
        const { [name]: _, ...others } = value
        return <Field key={name} name={name} schema={property} values={value} required={begun && (schema.required?.includes(name) ?? false)} uid={uid} onChange={(to) => onChange(to === undefined ? others : { ...others, [name]: to })} />
      })}
    </div>
  )
}

/** Nobody who looks over a shoulder reads it. */
const isSecret = (schema: Schema) => schema.format === 'password' || schema.writeOnly === true

const hasEditor = (schema: Schema) => schema['x-plugboard-language'] !== undefined && !schema.writeOnly

const isWide = (schema: Schema) => schema['x-plugboard-language'] !== undefined || schema.format === 'multiline' || schema.type === 'object' || schema.type === 'array'

function Input(props: FieldProps & { id: string }) {
  const { id, name, schema, values, required, uid, onRun, onChange, kept } = props
  const value = values[name]
  const about = schema.description ? `${id}-about` : undefined
  const example = schema.default ?? schema.examples?.find((e) => typeof e !== 'object')
  const same = { id, required, 'aria-describedby': about, placeholder: example === undefined ? undefined : String(example) }
  const text = value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value)
  const listed = useOptions(uid, schema['x-plugboard-options'], values)
  if (kept && value === undefined) return <KeptSecret onReplace={() => onChange('')} id={id} />
  if (hasEditor(schema)) {
    return <Suspense><TextEditor label={schema.title ?? name} schema={schema} uid={uid} value={text} onRun={onRun} onChange={(text) => onChange(text || undefined)} /></Suspense>
  }
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
  const offered: Option[] = listed.length ? listed : (schema.examples ?? []).filter((e) => typeof e !== 'object').map((e) => ({ value: String(e) }))
  const lists = listed.length > 0 || offered.length > 1
  return (
    <>
      <input {...same} type={isSecret(schema) ? 'password' : 'text'} autoComplete={isSecret(schema) ? 'new-password' : 'off'} spellCheck={false}
        list={lists ? `${id}-list` : undefined} value={text} onChange={(event) => onChange(event.target.value === '' && !kept ? undefined : event.target.value)} />
      {lists && <datalist id={`${id}-list`}>{offered.map((o) => <option key={o.value} value={o.value} label={o.label} />)}</datalist>}
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
function JSONInput({ id, name, schema, values, onChange }: FieldProps & { id: string }) {
  const value = values[name]
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
