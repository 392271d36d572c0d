#!/bin/sh
# Makes wqy-microhei.ttf.gz from Debian's fonts-wqy-microhei 0.2.0-beta with python3-fonttools 4.38.
set -eu
cd "$(dirname "$0")"
/usr/bin/python3 -m fontTools.subset /usr/share/fonts/truetype/wqy/wqy-microhei.ttc --font-number=0 \
	--output-file=wqy-microhei.ttf --unicodes=0020-10FF,1200-312F,3190-ABFF,F900-FFFD --no-hinting --layout-features= \
	--name-IDs='*' --notdef-outline --no-glyph-names --no-recalc-timestamp \
	--drop-tables+=FFTM,GSUB,GPOS,GDEF,kern,vhea,vmtx,gasp
gzip -9 -n -f wqy-microhei.ttf
