import { useState } from 'react'
import { Editor } from '../editor/Editor.tsx'
import { readObject } from '../explore/state.ts'

/** Settings that no form is known for. What is no object is not taken over. */
export default function JSONField({ value, readOnly, onChange }: { value: Record<string, unknown>; readOnly: boolean; onChange: (value: Record<string, unknown>) => void }) {
  const [text, setText] = useState(() => JSON.stringify(value, null, 2))
  const change = (text: string) => {
    setText(text)
    const read = readObject(text)
    if (read) onChange(read)
  }
  return (
    <div className="field json-field">
      <span className="label">Settings (jsonData)</span>
      <Editor label="Settings as JSON" language="json" value={text} onChange={readOnly ? undefined : change} />
    </div>
  )
}
