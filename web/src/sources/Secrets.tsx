import { useState } from 'react'
import { Form } from '../form/Form.tsx'
import { Icon } from '../ui/icons.tsx'

interface SecretsProps {
  value: Record<string, unknown>
  kept?: Record<string, boolean>
  onChange: (value: Record<string, unknown>) => void
}

/** Secrets of a plugin that does not say which it has: by name. */
export function Secrets({ value, kept, onChange }: SecretsProps) {
  const [names, setNames] = useState(() => Object.keys(kept ?? {}))
  const [name, setName] = useState('')
  const add = () => {
    if (name && !names.includes(name)) setNames([...names, name])
    setName('')
  }
  const properties = Object.fromEntries(names.map((n) => [n, { type: 'string', format: 'password' }]))
  return (
    <>
      <Form parts={[{ schema: { properties }, value, kept, onChange }]} className="fields" />
      <div className="field">
        <label htmlFor="secret-name">Another secret</label>
        <div className="kept">
          <input id="secret-name" value={name} placeholder="apiKey" onChange={(event) => setName(event.target.value)} onKeyDown={(event) => event.key === 'Enter' && (event.preventDefault(), add())} />
          <button type="button" className="button" onClick={add}><Icon name="plus" />Add</button>
        </div>
      </div>
    </>
  )
}
