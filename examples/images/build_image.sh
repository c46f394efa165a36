#!/usr/bin/env bash
# build_image.sh FOLDER REPOSITORY TAG FILE: build the Dockerfile of FOLDER, or its environment.yml on the image that its file `base` names, push it, and write REPOSITORY@DIGEST to FILE.
set -euo pipefail
folder="$1" repository="$2" tag="$3" file="$4"
if [[ ! "$repository" =~ ^[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9._/-]+$ ]]; then
  echo "::error::$repository is no repository in ECR: write ACCOUNT.dkr.ecr.REGION.amazonaws.com/PATH"
  exit 1
fi
recipe="$folder/Dockerfile"
if [[ ! -f "$recipe" ]]; then
  if [[ ! -f "$folder/environment.yml" || ! -f "$folder/base" ]]; then
    echo "::error::$folder has no Dockerfile, and not both environment.yml and base"
    exit 1
  fi
  base="$(tr -d '[:space:]' < "$folder/base")"
  if [[ "$base" == *:latest || "${base##*/}" != *[:@]* ]]; then
    echo "::error::$folder/base names no fixed version (got $base): write a tag other than latest, or a digest"
    exit 1
  fi
  recipe="$(mktemp)"
  cat > "$recipe" <<DOCKERFILE
FROM $base
COPY environment.yml /tmp/environment.yml
RUN mamba env update --name base --file /tmp/environment.yml && mamba clean --all --force-pkgs-dirs --yes
DOCKERFILE
fi
registry="${repository%%/*}"
# Tags cannot be moved: what was pushed by an earlier run of the same commit is taken as it is.
if ! digest="$(aws ecr describe-images --repository-name "${repository#*/}" --image-ids "imageTag=$tag" --query 'imageDetails[0].imageDigest' --output text 2>/dev/null)"; then
  aws ecr get-login-password | docker login --username AWS --password-stdin "$registry"
  metadata="$(mktemp)"
  docker buildx build --platform "${PLATFORMS:-linux/amd64}" --file "$recipe" --tag "$repository:$tag" --metadata-file "$metadata" --push "$folder"
  digest="$(jq --raw-output '."containerimage.digest"' "$metadata")"
fi
if [[ ! "$digest" =~ ^sha256:[0-9a-f]{64}$ ]]; then
  echo "::error::the build of $folder gave no digest (got $digest)"
  exit 1
fi
echo "$repository@$digest" > "$file"
