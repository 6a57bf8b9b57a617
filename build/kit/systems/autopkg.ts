import { releaseRepositoryOf, renderYaml } from '../render.ts';
import type { KitInput, KitSystem } from '../system.ts';

/** Recipes for AutoPkg 2.3 and later. Sources: autopkg/autopkg, 2026; their identifiers begin with com.github. by convention. */
export const autopkg: KitSystem = {
  name: 'AutoPkg',
  folder: 'autopkg',
  steps: () => ({
    escrow: 'Not AutoPkg’s part: use your MDM.',
    package:
      'Put the recipes into your overrides’ search path and run `autopkg run -v EscrowBuddy.munki.recipe.yaml` (or `.jamf`, `.download`).',
    request: 'Not AutoPkg’s part.',
    check: '`CodeSignatureVerifier` stops at a package that anybody else signed.',
    remove: 'Not AutoPkg’s part; see your MDM’s folder.',
  }),
  files: (input) => ({
    'EscrowBuddy.download.recipe.yaml': renderYaml(download(input)),
    'EscrowBuddy.munki.recipe.yaml': renderYaml(munkiRecipe(input)),
    'EscrowBuddy.jamf.recipe.yaml': renderYaml(jamfRecipe()),
  }),
  paths: [
    {
      name: 'GitHubReleasesInfoProvider',
      rules: [
        {
          rule: 'The package’s name matches what the recipe looks for.',
          source: 'autopkg/autopkg, GitHubReleasesInfoProvider.py',
          problem: ({ facts }) =>
            ASSET.test(facts.file.name) ? undefined : `${facts.file.name} does not match ${ASSET.source}`,
        },
        {
          rule: 'The package comes from a GitHub release.',
          source: 'autopkg/autopkg, GitHubReleasesInfoProvider.py',
          problem: ({ url }) =>
            releaseRepositoryOf(url) ? undefined : `${url} is not the address of a GitHub release`,
        },
        {
          rule: 'The chain is leaf, Developer ID Certification Authority, Apple Root CA.',
          source: 'autopkg/autopkg, CodeSignatureVerifier.py',
          problem: ({ facts }) =>
            facts.signing?.authorities.length === 3 ? undefined : 'the package has no chain of three certificates',
        },
      ],
    },
  ],
};

const ASSET = /^Escrow\.Buddy-[0-9.]+\.pkg$/;
const identifier = (kind: string) => `com.github.escrow-buddy.${kind}.EscrowBuddy`;

function download({ facts, url }: KitInput) {
  return {
    Description: `Downloads ${facts.title} and checks who signed it.`,
    Identifier: identifier('download'),
    MinimumVersion: '2.3',
    Input: { NAME: facts.title },
    Process: [
      {
        Processor: 'GitHubReleasesInfoProvider',
        Arguments: {
          github_repo: releaseRepositoryOf(url) ?? 'OWNER/REPOSITORY',
          asset_regex: ASSET.source,
          latest_only: true,
        },
      },
      { Processor: 'URLDownloader', Arguments: { filename: '%NAME%-%version%.pkg' } },
      { Processor: 'EndOfCheckPhase' },
      {
        Processor: 'CodeSignatureVerifier',
        Arguments: { input_path: '%pathname%', expected_authority_names: facts.signing?.authorities ?? [] },
      },
    ],
  };
}

function munkiRecipe({ facts, scripts }: KitInput) {
  // AutoPkg puts the version of the run into the script.
  const installcheck = scripts['need-munki'].replace(`VERSION='${facts.version}'`, "VERSION='%version%'");
  return {
    Description: `Imports ${facts.title} into Munki.`,
    Identifier: identifier('munki'),
    MinimumVersion: '2.3',
    ParentRecipe: identifier('download'),
    Input: {
      MUNKI_REPO_SUBDIR: `apps/${facts.title}`,
      pkginfo: {
        autoremove: false,
        blocking_applications: [],
        catalogs: ['testing'],
        description:
          'Generates a new FileVault recovery key at the next login, when asked, so that the MDM can escrow it.',
        display_name: '%NAME%',
        minimum_os_version: facts.minimumMacOS,
        name: '%NAME%',
        unattended_install: true,
        unattended_uninstall: true,
        uninstall_method: 'uninstall_script',
        uninstall_script: scripts.remove,
        uninstallable: true,
        uninstallcheck_script: scripts['remove-needed'],
      },
    },
    Process: [
      { Processor: 'MunkiPkginfoMerger', Arguments: { additional_pkginfo: { installcheck_script: installcheck } } },
      { Processor: 'MunkiImporter', Arguments: { pkg_path: '%pathname%', repo_subdirectory: '%MUNKI_REPO_SUBDIR%' } },
    ],
  };
}

function jamfRecipe() {
  return {
    Description: 'Uploads the package to Jamf Pro.',
    Identifier: identifier('jamf'),
    MinimumVersion: '2.3',
    ParentRecipe: identifier('download'),
    Input: { CATEGORY: 'Security' },
    Process: [
      {
        Processor: 'com.github.grahampugh.jamf-upload.processors/JamfPackageUploader',
        Arguments: { pkg_path: '%pathname%', pkg_name: 'Escrow.Buddy-%version%.pkg', pkg_category: '%CATEGORY%' },
      },
    ],
  };
}
