import { useState } from 'react'
import { Editor } from '../editor/Editor.tsx'
import { readObject } from '../explore/state.ts'

interface JSONFieldProps {
  value: Record<string, unknown>
  readOnly: boolean
  onChange: (value: Record<string, unknown>) => void
  /** Is told whether what is written can be taken over. */
  onReadable: (readable: boolean) => void
}

/** Settings that no form is known for. What is no object is not taken over, which it says. */
export default function JSONField({ value, readOnly, onChange, onReadable }: JSONFieldProps) {
  const [text, setText] = useState(() => JSON.stringify(value, null, 2))
  const [readable, setReadable] = useState(true)
  const change = (text: string) => {
    setText(text)
    const read = readObject(text)
    setReadable(read !== undefined)
    onReadable(read !== undefined)
    if (read) onChange(read)
  }
  return (
    <div className="field json-field">
      <span className="label">Settings (jsonData)</span>
      <Editor label="Settings as JSON" language="json" value={text} onChange={readOnly ? undefined : change} />
      {readable
        ? <small>What the plugin keeps in Grafana’s <code>jsonData</code>; its documentation says which names there are.</small>
        : <small className="fault" role="alert">This is no JSON object. It cannot be saved like this.</small>}
    </div>
  )
}
