# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests: one program for each room, with the sanitizers, on the build machine. Everything but
# main() is in an archive; what a test defines itself stands in for the room it belongs to.

.PHONY: test-unit

UNITS := $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_PROGRAMS := $(UNITS:%=build/unit/test_%)
UNIT_CFLAGS := $(NATIVE_CFLAGS) -Itests/unit -fsanitize=address,undefined
UNIT_CFLAGS += -fno-sanitize-recover=all -fno-omit-frame-pointer

# Tests whose log, loop and reports are stand-ins, and those of a VM's life.
UNIT_STORIES := vm vm_io vm_judge vm_policy vm_pulse vm_release vm_stop vm_table
UNIT_STANDINS := $(UNIT_STORIES) bootcount button critical device device_event dma_fault hw_errors
UNIT_STANDINS += shutdown show status trial uevent vm_denial vm_plug watchdog
# Those of consoles.
UNIT_DESK := command console console_guest console_login console_program

# Those that look into images.
UNIT_IMAGES := update_image update_store

# Those that write firmware variables.
UNIT_EFI := bootcount bootopt critical trial

# Calls that a test answers itself, with the real one at hand as __real_NAME().
$(foreach test,$(UNIT_EFI),$(eval UNIT_WRAP_$(test) := sys_efi_write))
UNIT_WRAP_button := clock_gettime ioctl sys_input_each sys_input_open
UNIT_WRAP_claim := module_load sys_pci_write sys_driver_probe sys_iommufd_open sys_vfio_open ioctl
UNIT_WRAP_check_disks := fstatat
UNIT_WRAP_harden := sys_memfd_noexec sys_ptrace_for_root
UNIT_WRAP_host := huge_reserve state_mount sriov_turn_on net_make_bridges wait_until module_load
UNIT_WRAP_host += sys_pci_write sys_driver_probe sys_autoprobe_off
UNIT_WRAP_log := sys_kmsg_open sys_kmsg_follow lseek
UNIT_WRAP_confine := sys_deny_calls sys_deny_files sys_deny_new_code sys_room_enter sys_room_leave
UNIT_WRAP_critical += clock_gettime
UNIT_WRAP_ctl := connect read
UNIT_WRAP_device_event := sys_pci_write
UNIT_WRAP_dma_fault := clock_gettime
UNIT_WRAP_esp := module_load poll sys_mount_detached wait_until
UNIT_WRAP_fatal := getpid pause reboot sleep sys_kmsg_open
UNIT_WRAP_hw_errors := clock_gettime
UNIT_WRAP_module := syscall sys_kernel_release
UNIT_WRAP_launch := sys_root_open claim_bind claim_iommufd confine_self execve host_reserve
UNIT_WRAP_launch += host_prepare limit_vm pin_self sys_iommufd_of probe_learn
UNIT_WRAP_panic := sys_kmsg_open
UNIT_WRAP_probe := ioctl poll sys_pci_write sys_driver_probe
UNIT_WRAP_huge := sys_huge_write
UNIT_WRAP_net := ioctl module_load
UNIT_WRAP_open := claim_iommufd claim_open net_open_tap sys_state_mounted
UNIT_WRAP_pin := sched_setaffinity
UNIT_WRAP_sriov := net_set_up sys_pci_write
UNIT_WRAP_state := module_load sys_state_mount
UNIT_WRAP_sys_host := mkdir mount umount2
UNIT_WRAP_sys_cgroup := mkdirat
UNIT_WRAP_show := manifest_read
UNIT_WRAP_shutdown := fork sync reboot sys_state_umount
UNIT_WRAP_status := clock_gettime sys_kernel_release trust_get
UNIT_WRAP_tool := sys_root_open
UNIT_WRAP_trust := fstatfs
UNIT_WRAP_uevent := recvfrom sys_uevent_open
$(foreach story,$(UNIT_STORIES),$(eval UNIT_WRAP_$(story) := kill clock_gettime))
UNIT_WRAP_vm_denial := sys_denied_next
UNIT_WRAP_vm_plug := kill
UNIT_WRAP_sys_verify := execve
UNIT_WRAP_update := esp_find esp_mount_found images_look sys_certificate_exists sys_efi_text
UNIT_WRAP_update += sys_efi_write sys_fat_is_dirty update_image_look update_source_drivers
UNIT_WRAP_update += update_source_medium update_source_path update_store poll
UNIT_WRAP_update_source := module_load sys_driver_probe sys_mount_detached wait_until
UNIT_WRAP_update_store := fstatvfs fsync posix_fadvise renameat2 sys_first_block sys_verify syncfs
UNIT_WRAP_update_store += unlinkat write
UNIT_WRAP_watchdog := ioctl sys_watchdog_open

build/unit/init/%.o: init/%.c $(INIT_HEADERS) | build/tools
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(UNIT_CFLAGS) -c -o $@ $<

build/unit/%.o: tests/unit/%.c $(wildcard tests/unit/*.h) $(INIT_HEADERS) | build/tools
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(UNIT_CFLAGS) -c -o $@ $<

build/unit/hvinit.a: $(addprefix build/unit/init/,$(filter-out main.o,$(NATIVE_OBJS)))
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(UNIT_STANDINS:%=build/unit/test_%): build/unit/standins.o
$(UNIT_STORIES:%=build/unit/test_%): build/unit/fakeqemu.o
$(UNIT_DESK:%=build/unit/test_%): build/unit/standins.o build/unit/fakedesk.o

$(UNIT_IMAGES:%=build/unit/test_%): build/unit/fakeimage.o
$(UNIT_EFI:%=build/unit/test_%): build/unit/fakeefi.o

# The archive comes last: what a test or a stand-in defines is not looked for in it.
$(UNIT_PROGRAMS): build/unit/test_%: build/unit/test_%.o build/unit/fakesys.o build/unit/hvinit.a
	$(say) UNIT $@
	$(Q)$(HOSTCC) $(UNIT_CFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka -lxml2 -lcrypt \
		$(UNIT_WRAP_$*:%=-Wl,--wrap=%)

test-unit: $(UNIT_PROGRAMS) ## runs the unit tests
	$(Q)/usr/bin/python3 tests/unit/run.py build/tests/unit.xml $^
