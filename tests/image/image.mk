# SPDX-License-Identifier: GPL-2.0-or-later
# What is built: no file without a reason, sizes, the disk, and the same bytes from another folder.

.PHONY: test-image soak-image

test-image: image build/config ## looks at what was built, and builds it again elsewhere
	$(Q)mkdir -p build/tests
	$(Q)$(LAB_PYTHON) -m pytest -q -ra --capture=sys -p no:cacheprovider \
		-o junit_family=xunit1 --junitxml=build/tests/image.xml tests/image

# Everything from Debian's packages on, in another cache: the kernel, too.
soak-image: image ## builds the image, with its kernel, in another folder: the bytes are the same
	$(Q)IMAGE_ANEW=everything $(LAB_PYTHON) -m pytest -q -ra --capture=sys -p no:cacheprovider \
		tests/image/test_again.py
