/** The mark of Plugboard: a cord from one socket to another. */
export function Mark() {
  return (
    <svg className="logo-mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M9 22c0-7 14-5 14-12" />
      <circle cx="9" cy="23.5" r="2.2" />
      <circle cx="23" cy="8.5" r="2.2" />
    </svg>
  )
}
