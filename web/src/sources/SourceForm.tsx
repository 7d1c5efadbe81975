import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { pluginSchema } from '../api/queries.ts'
import type { Schema, SourceSettings } from '../api/types.ts'
import { Form, type Part } from '../form/Form.tsx'
import { Icon } from '../ui/icons.tsx'
import { Failed, Loading } from '../ui/states.tsx'
import { Conflict } from './Conflict.tsx'
import type { Draft } from './draft.ts'
import { Leaving } from './Leaving.tsx'
import { Secrets } from './Secrets.tsx'
import { TestResult } from './TestResult.tsx'
import { useDraft } from './useDraft.ts'

const JSONField = lazy(() => import('./JSONField.tsx'))

interface SourceFormProps {
  type: string
  initial: Draft
  /** What the server has; nothing if the data source is a new one. */
  kept?: SourceSettings
  /** Begins with a test. */
  testFirst?: boolean
  onSave: (draft: Draft) => Promise<SourceSettings>
}

/** What a data source has where its plugin's schema does not say. */
const unknown: Schema = { properties: { url: { title: 'URL', type: 'string' } } }

/** The settings of a data source, saved and tested in one. */
export function SourceForm({ type, initial, kept, testFirst, onSave }: SourceFormProps) {
  const schema = useQuery(pluginSchema(type))
  const { draft, set, setDraft, dirty, theirs, test, run, keepMine, takeTheirs } = useDraft(initial, kept, onSave, testFirst)
  const [asJSON, setAsJSON] = useState(false)
  const [readable, setReadable] = useState(true)
  if (schema.isPending) return <Loading />
  const readOnly = kept?.readOnly ?? false
  const form = schema.data?.settings
  const { jsonData: settings, secureJsonData: secrets, ...top } = (form ?? unknown).properties ?? {}
  const free = asJSON || !form
  const parts: Part[] = [{ schema: { properties: top, required: form?.required }, value: draft, onChange: (value) => setDraft(value as Draft) }]
  if (!free && settings) parts.push({ schema: settings, value: draft.jsonData, onChange: (jsonData) => set({ jsonData }) })
  if (secrets) parts.push({ schema: secrets, value: draft.secureJsonData, kept: kept?.secureJsonFields, onChange: (secureJsonData) => set({ secureJsonData }) })
  return (
    <form className="source-form" onSubmit={(event) => (event.preventDefault(), void run(!readOnly))}>
      <fieldset className="card" disabled={readOnly}>
        <legend className="unseen">Settings</legend>
        <header>
          <h2>Settings</h2>
          {form && <button type="button" className="button quiet-button" aria-pressed={asJSON} disabled={!readable} onClick={() => setAsJSON(!asJSON)}>Settings as JSON</button>}
        </header>
        <div className="fields">
          <div className="field"><label htmlFor="name">Name</label><input id="name" required maxLength={190} value={draft.name} onChange={(event) => set({ name: event.target.value })} /></div>
          {!kept && (
            <div className="field">
              <label htmlFor="uid">UID</label>
              <input id="uid" value={draft.uid ?? ''} pattern="[A-Za-z0-9_\-]{1,40}" title="Up to 40 letters, digits, - and _" spellCheck={false} autoComplete="off" aria-describedby="uid-about" onChange={(event) => set({ uid: event.target.value || undefined })} />
              <small id="uid-about">How queries and links name it. One is made up if it is empty.</small>
            </div>
          )}
          <label className="field check wide"><input type="checkbox" checked={draft.isDefault} onChange={(event) => set({ isDefault: event.target.checked })} /><span>Ask this one first <small>Explore opens on it.</small></span></label>
        </div>
        <Form key={test.saved} parts={parts} uid={kept?.uid} className="fields" />
        {free && <Suspense fallback={<Loading />}><JSONField key={test.saved} readOnly={readOnly} value={draft.jsonData} onChange={(jsonData) => set({ jsonData })} onReadable={setReadable} /></Suspense>}
        {secrets?.properties && <p className="secrets-note quiet"><Icon name="lock" />Secrets are written, never read: they are kept encrypted and given to the plugin alone.</p>}
      </fieldset>
      {!form && (
        <fieldset className="card" disabled={readOnly}>
          <legend className="unseen">Secrets</legend>
          <header><h2>Secrets</h2><span className="quiet">Written, never read: they are kept encrypted and given to the plugin alone.</span></header>
          <Secrets value={draft.secureJsonData} kept={kept?.secureJsonFields} onChange={(secureJsonData) => set({ secureJsonData })} />
        </fieldset>
      )}
      {schema.error && <Failed error={schema.error} again={() => void schema.refetch()} />}
      {theirs && <Conflict mine={draft} theirs={theirs} onKeep={keepMine} onTake={takeTheirs} />}
      <div className="buttons">
        <button className="button primary" disabled={test.busy !== undefined || !readable || theirs !== undefined}>
          {test.busy ? <span className="spinner" /> : <Icon name="check" />}{readOnly ? 'Test' : 'Save & test'}
        </button>
        {test.busy && <button type="button" className="button" onClick={() => test.busy?.abort()}><Icon name="stop" />Cancel</button>}
        {dirty && kept && !test.busy && <span className="quiet">Not saved yet</span>}
      </div>
      <TestResult test={test} />
      <Leaving dirty={dirty} />
    </form>
  )
}
