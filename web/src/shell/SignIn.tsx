import { useEffect, useRef, useState } from 'react'
import { Failed } from '../ui/states.tsx'
import { Mark } from './Mark.tsx'
import { signIn } from './session.ts'

/** Asks who is there, over the page that is to be seen. */
export function SignIn() {
  const [error, setError] = useState<Error>()
  const [busy, setBusy] = useState(false)
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current!.showModal()
    dialog.current!.querySelector<HTMLInputElement>('[type=password]')!.focus()
  }, [])
  const submit = async (event: React.FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    setBusy(true)
    try {
      await signIn(String(form.get('user')), String(form.get('password')))
    } catch (error) {
      setError(error as Error)
      setBusy(false)
    }
  }
  return (
    <dialog ref={dialog} className="sign-in" aria-label="Sign in" onCancel={(event) => event.preventDefault()}>
      <form onSubmit={submit}>
        <Mark />
        <h1>Sign in to Plugboard</h1>
        <label>User <input name="user" defaultValue="admin" autoComplete="username" required /></label>
        <label>Password <input name="password" type="password" autoComplete="current-password" required /></label>
        {error && <Failed error={error} />}
        <button className="button primary" disabled={busy}>{busy ? 'Signing in…' : 'Sign in'}</button>
        <p className="quiet">The first start of the server has printed the password of admin.</p>
      </form>
    </dialog>
  )
}
