import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { checkHealth, client, health, pluginSchema } from '../api/queries.ts'
import type { Health, Schema } from '../api/types.ts'
import { Form, type Part } from '../form/Form.tsx'
import { Icon } from '../ui/icons.tsx'
import { Failed, Loading } from '../ui/states.tsx'
import type { Draft } from './draft.ts'
import { Secrets } from './Secrets.tsx'

const JSONField = lazy(() => import('./JSONField.tsx'))

interface SourceFormProps {
  type: string
  initial: Draft
  isNew?: boolean
  readOnly?: boolean
  /** The secrets that the server has. */
  kept?: Record<string, boolean>
  /** Saves, and says under which uid. */
  onSave: (draft: Draft) => Promise<string>
}

/** What a data source has where its plugin's schema does not say. */
const unknown: Schema = { properties: { url: { title: 'URL', type: 'string' } } }

/** The settings of a data source, saved and tested in one. */
export function SourceForm({ type, initial, isNew = false, readOnly = false, kept, onSave }: SourceFormProps) {
  const schema = useQuery(pluginSchema(type))
  const [draft, setDraft] = useState(initial)
  const [asJSON, setAsJSON] = useState(false)
  const [test, setTest] = useState<{ busy?: boolean; error?: Error; health?: Health }>({})
  if (schema.isPending) return <Loading />
  const { jsonData: settings, secureJsonData: secrets, ...top } = (schema.data?.settings ?? unknown).properties ?? {}
  const free = asJSON || !schema.data?.settings
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change })
  const parts: Part[] = [{ schema: { properties: top, required: schema.data?.settings?.required }, value: draft, onChange: (value) => setDraft(value as Draft) }]
  if (!free && settings) parts.push({ schema: settings, value: draft.jsonData, onChange: (jsonData) => set({ jsonData }) })
  if (secrets) parts.push({ schema: secrets, value: draft.secureJsonData, kept, onChange: (secureJsonData) => set({ secureJsonData }) })
  const check = async (save: boolean) => {
    setTest({ busy: true })
    try {
      const uid = save ? await onSave(draft) : String(initial.uid)
      const found = await checkHealth(uid)
      client.setQueryData(health(uid).queryKey, found)
      setTest({ health: found })
    } catch (error) {
      setTest({ error: error as Error })
    }
  }
  return (
    <form className="source-form" onSubmit={(event) => (event.preventDefault(), void check(!readOnly))}>
      <fieldset className="card" disabled={readOnly}>
        <legend className="unseen">Settings</legend>
        <div className="fields">
          <div className="field"><label htmlFor="name">Name</label><input id="name" required value={draft.name} onChange={(event) => set({ name: event.target.value })} /></div>
          {isNew && (
            <div className="field">
              <label htmlFor="uid">UID</label>
              <input id="uid" value={draft.uid ?? ''} pattern="[A-Za-z0-9_\-]{1,40}" aria-describedby="uid-about" onChange={(event) => set({ uid: event.target.value || undefined })} />
              <small id="uid-about">How queries and links name it. One is made up if it is empty.</small>
            </div>
          )}
          <label className="field check wide"><input type="checkbox" checked={draft.isDefault} onChange={(event) => set({ isDefault: event.target.checked })} /><span>Ask this one first <small>Explore opens on it.</small></span></label>
        </div>
        <Form parts={parts} uid={isNew ? undefined : initial.uid} className="fields" />
        {free && <Suspense fallback={<Loading />}><JSONField readOnly={readOnly} value={draft.jsonData} onChange={(jsonData) => set({ jsonData })} /></Suspense>}
        {secrets?.properties && <p className="secrets-note quiet"><Icon name="lock" />Secrets are written, never read: they are kept encrypted and given to the plugin alone.</p>}
        {schema.data?.settings && <button type="button" className="button quiet-button" aria-pressed={asJSON} onClick={() => setAsJSON(!asJSON)}>Settings as JSON</button>}
      </fieldset>
      {!schema.data?.settings && (
        <fieldset className="card" disabled={readOnly}>
          <legend className="unseen">Secrets</legend>
          <header><h2>Secrets</h2><span className="quiet">Written, never read: they are kept encrypted and given to the plugin alone.</span></header>
          <Secrets value={draft.secureJsonData} kept={kept} onChange={(secureJsonData) => set({ secureJsonData })} />
        </fieldset>
      )}
      {schema.error && <Failed error={schema.error} />}
      <div className="buttons">
        <button className="button primary" disabled={test.busy}>{test.busy ? <span className="spinner" /> : <Icon name="check" />}{readOnly ? 'Test' : 'Save & test'}</button>
      </div>
      {test.error && <Failed error={test.error} />}
      {test.health && <Tested health={test.health} />}
    </form>
  )
}

/** What the plugin says of its data source. */
function Tested({ health }: { health: Health }) {
  const details = health.details && Object.keys(health.details).length > 0 && <pre tabIndex={0}>{JSON.stringify(health.details, null, 2)}</pre>
  if (health.status === 'OK' || health.status === 'UNKNOWN') {
    return <div className="passed" role="status"><Icon name="check" /><div><p>{health.message || 'It works'}</p>{details}</div></div>
  }
  return <Failed error={new Error(health.message)}>{details}</Failed>
}
