import { isPlaceholder, type KitInput, type KitSystem } from '../system.ts';

/** Homebrew. Source: Cask Cookbook, 2026; `depends_on macos` is deprecated and left out (Homebrew 6). */
export const homebrew: KitSystem = {
  name: 'Homebrew',
  folder: 'homebrew',
  steps: () => ({
    escrow: 'Not Homebrew’s part: use your MDM.',
    package: 'Put `escrow-buddy.rb` into `Casks/` of your own tap and run `brew install --cask escrow-buddy`.',
    request: 'Not Homebrew’s part.',
    check: 'Homebrew compares the SHA-256.',
    remove: '`brew uninstall --cask escrow-buddy` runs the teardown before anything is deleted.',
  }),
  files: ({ facts, url }: KitInput) => ({
    'escrow-buddy.rb': `cask "escrow-buddy" do
  version "${facts.version}"
  sha256 "${facts.file.sha256}"

  url "${url}"
  name "${facts.title}"
  desc "Login plug-in that generates a new FileVault recovery key for the MDM"
  homepage "${new URL('.', url).href}"

  pkg "${facts.file.name}"

  uninstall early_script: {
              executable: "${facts.bundle.path}/Contents/Resources/AuthDBTeardown.sh",
              sudo:       true,
            },
            pkgutil:      "${facts.identifier}"
end
`,
  }),
  paths: [
    {
      name: 'cask',
      rules: [
        {
          rule: 'The address is one from which Homebrew can download.',
          source: 'Cask Cookbook, url',
          problem: ({ url }) => (isPlaceholder(url) ? `${url} is a placeholder: give --url` : undefined),
        },
      ],
    },
  ],
};
