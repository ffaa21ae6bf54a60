# ruff: noqa: E501  # a table of names
"""What goes wrong with films, machines and people: every row of the list, tried.

A row is tried by tests of the suite, by a case of this module, or by both; what was not tried says
why. `quick` runs each case a few times, to see that it works.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import harm
from benchmarks.results_file import Goal, Row


@dataclass(frozen=True)
class Fault:
    """One row: what goes wrong, and what tries it."""

    number: int
    what: str
    tests: tuple[str, ...] = ()  # `file::test` below tests/, whatever its parameters
    case: Callable[[Path, bool], harm.Outcome] | None = None
    missing: str = ""  # what of it is not tried, and why


WORKSPACE, STREAM, GUARD = "test_workspace.py", "video/test_stream.py", "web/test_guard.py"
SCREEN = "video/test_screen.py"
CLI, PIPELINE, APART = "test_cli.py", "test_pipeline.py", "video/test_apart.py"

FAULTS = (
    Fault(1, "killed while decoding", case=harm.kills),
    Fault(2, "killed while finding or following faces", case=harm.kills),
    Fault(3, "killed while cutting crops", (f"{PIPELINE}::test_a_run_that_was_ended_goes_on_to_the_same_bytes",), harm.kills),
    Fault(4, "killed in training", (f"{PIPELINE}::test_a_run_that_was_ended_goes_on_to_the_same_bytes", "finetune/test_resume.py::test_training_goes_on_from_any_checkpoint_to_the_same_numbers"), harm.kills),
    Fault(5, "killed while grouping or writing the report", case=harm.kills),
    Fault(6, "killed between a file and its note", (f"{WORKSPACE}::test_data_that_the_manifest_does_not_know_is_not_done",)),
    Fault(7, "crash at every write", (f"{WORKSPACE}::test_a_crash_at_any_write_leaves_a_folder_to_go_on_from",)),
    Fault(8, "SIGINT, SIGTERM", (f"{CLI}::test_a_signal_ends_it_with_the_way_to_go_on", f"{PIPELINE}::test_a_run_that_was_ended_goes_on_to_the_same_bytes")),
    Fault(9, "power cut", (f"{WORKSPACE}::test_a_crash_at_any_write_leaves_a_folder_to_go_on_from", f"{WORKSPACE}::test_a_power_cut_costs_one_stage", f"{WORKSPACE}::test_a_harmed_file_is_made_again")),
    Fault(10, "disk full", (f"{WORKSPACE}::test_a_full_disk_is_told_and_leaves_the_old_files", f"{WORKSPACE}::test_a_full_disk_under_a_stage_that_writes_itself_is_told")),
    Fault(11, "output that cannot be written", (f"{WORKSPACE}::test_a_file_is_no_folder", f"{WORKSPACE}::test_a_folder_with_other_things_is_left_alone"), harm.read_only),
    Fault(12, "film changed or gone meanwhile", (f"{WORKSPACE}::test_a_film_that_changes_meanwhile_is_refused", f"{STREAM}::test_a_film_that_vanishes_or_changes_is_an_input_error")),
    Fault(13, "two runs in one folder", (f"{WORKSPACE}::test_a_folder_takes_one_process_and_survives_its_death",)),
    Fault(14, "stale lock", (f"{WORKSPACE}::test_a_stale_lock_is_no_lock",)),
    Fault(15, "two runs of one film side by side", ("weights/test_fetch.py::test_two_at_once",), harm.side_by_side),
    Fault(16, "damaged stage file", (f"{WORKSPACE}::test_a_harmed_file_is_made_again", f"{WORKSPACE}::test_a_harmed_manifest_means_that_nothing_is_done")),
    Fault(17, "manifest of another version", (f"{WORKSPACE}::test_a_newer_manifest_is_refused",)),
    Fault(18, "settings, code or weights changed", (f"{WORKSPACE}::test_a_change_redoes_what_it_touches", f"{WORKSPACE}::test_a_new_version_of_a_stage_redoes_it", "test_brought.py::test_only_what_is_in_a_file_counts")),
    Fault(19, "too little memory", (f"{CLI}::test_no_memory_is_4", "models/test_device.py::test_too_little_memory_is_told", "test_resources.py::test_too_little_memory_is_told_before_the_work", "test_resources.py::test_too_little_disk_is_told_before_the_work")),
    Fault(20, "huge pictures, forged headers", (f"{STREAM}::test_a_forged_size_is_refused", f"{STREAM}::test_pictures_past_the_limit_are_refused", f"{STREAM}::test_pixels_that_would_be_stretched_past_the_limit_are_refused")),
    Fault(21, "numbers that are none", ("finetune/test_guard.py::test_a_broken_loss_is_undone_and_tried_again_more_slowly", "finetune/test_guard.py::test_a_loss_that_is_no_number_is_collapse", "clustering/test_merge.py::test_a_network_of_broken_numbers_recognises_nobody")),
    Fault(22, "collapse", ("finetune/test_guard.py::test_real_collapse_leaves_the_backbone_as_it_came", f"{PIPELINE}::test_a_rate_that_destroys_the_network_leaves_it_as_it_came")),
    Fault(23, "no faces", (f"{PIPELINE}::test_a_film_without_faces_is_a_valid_result",)),
    Fault(24, "one face, one track", ("clustering/test_merge.py::test_one_track_is_one_person", "clustering/test_merge.py::test_tracks_of_single_crops_without_views_stay_apart")),
    Fault(25, "nothing but low quality", ("clustering/test_merge.py::test_without_crops_everyone_is_unknown", "clustering/test_merge.py::test_a_rejected_track_is_unknown_and_the_others_are_as_without_it")),
    Fault(26, "thousands of tracks", ("clustering/test_merge.py::test_nothing_depends_on_how_much_is_held_at_a_time",), missing="10,000 and 100,000 are in `python -m benchmarks speed`"),
    Fault(27, "chains", ("clustering/test_merge.py::test_a_long_chain_ends", "clustering/test_convergence.py::test_every_round_lowers_the_number_of_clusters")),
    Fault(28, "identical tracks, ties", ("clustering/test_merge.py::test_identical_tracks_are_one_person", "clustering/test_merge.py::test_labels_come_in_the_order_of_the_lowest_tracks")),
    Fault(29, "no film at all", (f"{CLI}::test_what_is_no_film_is_3", f"{STREAM}::test_a_path_that_is_no_ordinary_file_is_refused", f"{STREAM}::test_what_is_no_film_is_refused_in_one_sentence")),
    Fault(30, "a film never finished", (f"{STREAM}::test_a_film_that_was_never_finished_is_named_so",)),
    Fault(31, "half a film", (f"{STREAM}::test_of_a_truncated_film_what_decodes_is_used", f"{PIPELINE}::test_a_film_that_was_cut_off_says_so")),
    Fault(32, "damaged packets", (f"{STREAM}::test_damage_is_skipped_and_counted_and_every_walk_agrees", f"{PIPELINE}::test_a_damaged_film_says_so")),
    Fault(33, "decoder that dies or hangs", (f"{APART}::test_a_crash_costs_one_more_walk_by_one_thread", f"{APART}::test_a_second_crash_is_an_error_of_the_film", f"{APART}::test_so_is_a_decoder_that_hangs", f"{APART}::test_one_that_is_busy_with_what_nobody_wants_does_not_hang", f"{APART}::test_and_one_that_wants_all_memory", f"{APART}::test_a_run_that_a_decoder_broke_goes_on_where_it_was")),
    Fault(34, "songs and covers", (f"{STREAM}::test_a_cover_picture_in_front_is_not_the_film", f"{STREAM}::test_a_song_with_a_cover_picture_is_not_a_film", f"{STREAM}::test_the_longest_of_several_streams_is_the_film")),
    Fault(35, "turned and squeezed pictures", (f"{STREAM}::test_pictures_are_upright_and_square", "faces/test_crops.py::test_crops_do_not_depend_on_how_the_picture_lies")),
    Fault(36, "varying rate, odd time stamps", (f"{STREAM}::test_times_of_a_variable_rate_are_those_of_the_stamps", f"{STREAM}::test_a_container_without_presentation_stamps_still_has_a_clock")),
    Fault(37, "size that changes", (f"{STREAM}::test_a_change_of_size_is_flagged_and_scaled_to_the_first", "video/test_shots.py::test_a_change_of_size_is_a_cut_even_where_nothing_else_changes")),
    Fault(38, "pixel formats", (f"{STREAM}::test_odd_sizes_and_pixel_formats", f"{STREAM}::test_a_colour_tag_that_nobody_knows_is_no_fault", f"{SCREEN}::test_hdr_looks_as_its_twin_does", f"{SCREEN}::test_hdr_with_any_tags_is_seen", f"{SCREEN}::test_hdr_in_any_form_is_seen", "faces/test_crops.py::test_a_face_in_hdr_gives_nearly_the_same_crop")),
    Fault(39, "interlaced, telecine", (f"{SCREEN}::test_an_interlaced_picture_shows_its_first_moment", f"{SCREEN}::test_nothing_is_lost_where_the_film_changes", f"{SCREEN}::test_pictures_of_one_moment_are_left_as_they_are"), missing="what a telecine doubled stays doubled: pictures keep their number and their times"),
    Fault(40, "tiny and odd sizes", (f"{STREAM}::test_odd_sizes_and_pixel_formats", "faces/test_crops.py::test_beyond_the_picture_is_black")),
    Fault(41, "one frame, no duration", (f"{STREAM}::test_a_film_of_one_frame", "video/test_shots.py::test_the_shortest_films", f"{PIPELINE}::test_a_film_of_ten_hours")),
    Fault(42, "hostile file names", (f"{WORKSPACE}::test_folders_are_named_safely", f"{STREAM}::test_a_name_of_any_kind_opens_and_prints_as_one_line", f"{CLI}::test_a_name_can_only_be_printed")),
    Fault(43, "markup in names", ("results/test_report.py::test_names_and_facts_cannot_become_markup", "browser/test_report_page.py::test_everybody_is_there_and_every_picture_loads")),
    Fault(44, "formulas, XML in names", ("results/exports/test_exports.py::test_a_spreadsheet_runs_nothing", "results/exports/test_exports.py::test_names_are_text_in_xml")),
    Fault(45, "hostile checkpoints", ("models/test_checkpoint.py::test_a_file_that_would_run_something_is_refused", "models/test_checkpoint.py::test_a_file_that_swells_is_refused_and_the_limit_goes_away", "models/test_checkpoint.py::test_torch_is_never_asked_to_run_what_it_loads", f"{CLI}::test_a_hostile_file_is_3")),
    Fault(46, "ONNX that reaches out", ("weights/test_onnx_file.py::test_a_file_that_reaches_out_is_refused", "weights/test_onnx_file.py::test_links_beside_it_make_no_difference")),
    Fault(47, "ways out of the pages", (f"{GUARD}::test_there_is_no_way_out_of_the_pages",)),
    Fault(48, "where the review listens", (f"{GUARD}::test_it_listens_on_the_loopback_alone", f"{GUARD}::test_only_one_address_of_this_machine_is_served_at")),
    Fault(49, "another host name", (f"{GUARD}::test_another_name_is_refused",)),
    Fault(50, "another site's form", (f"{GUARD}::test_a_form_of_another_site_is_refused", f"{GUARD}::test_nothing_changes_by_get")),
    Fault(51, "two who edit at once", ("review/test_log.py::test_of_many_at_once_one_is_heard", "web/test_walk.py::test_two_windows_lose_nothing")),
    Fault(52, "planted links", (f"{WORKSPACE}::test_a_planted_link_is_not_followed", f"{WORKSPACE}::test_all_is_private_whatever_the_umask")),
    Fault(53, "purge", ("purge/test_erase.py::test_a_person_is_erased_and_the_others_stay", "purge/test_erase.py::test_a_run_is_erased_whole")),
    Fault(54, "no network", case=harm.no_network),
    Fault(55, "clock, zone, language", (f"{WORKSPACE}::test_the_bytes_do_not_depend_on_the_clock",), harm.environments),
    Fault(56, "one thread, two threads", case=harm.thread_counts),
    Fault(57, "GPU out of memory", ("models/test_device.py::test_too_little_memory_is_told", "models/test_device.py::test_what_the_memory_of_a_gpu_is_too_small_for_the_processor_does", "models/test_device.py::test_a_batch_that_is_too_large_is_looked_at_by_halves", "finetune/test_guard.py::test_a_step_that_is_too_large_is_done_in_pieces", "finetune/test_guard.py::test_where_no_crop_has_room_nothing_is_hidden"), missing="by stand-ins, no GPU was at hand"),
    Fault(58, "one bad film of twenty", ("library/test_library.py::test_one_bad_film_stops_nobody_and_is_tried_again_alone", "library/test_library.py::test_a_job_whose_process_dies_is_an_outcome")),
    Fault(59, "many films in a row", case=harm.soak),
    Fault(60, "mutated files", (f"{STREAM}::test_flipped_bytes_never_raise_anything_but_input_errors",), harm.mutations),
)  # fmt: skip


def measure_faults(work: Path, quick: bool, only: Sequence[int] = ()) -> Iterator[tuple[Row, str]]:
    """Try every row, and yield its figures with what there is to say of it."""
    chosen = [fault for fault in FAULTS if not only or fault.number in only]
    passed = run_tests({test for fault in chosen for test in fault.tests})
    done: dict[Callable[[Path, bool], harm.Outcome], harm.Outcome] = {}
    for fault in chosen:
        name = f"faults.{fault.number:02} {fault.what}"
        said = [fault.missing] if fault.missing else []
        tried = bad = 0
        for test in fault.tests:
            good, wrong = passed.get(test, (0, 1))
            tried, bad = tried + good + wrong, bad + wrong
        if fault.case is not None:
            if fault.case not in done:
                done[fault.case] = _outcome(fault.case, work, quick)
            outcome = done[fault.case]
            tried, bad = tried + outcome.tried, bad + outcome.failed
            said.append(outcome.said)
        if tried:
            yield (
                Row.of(name, tried - bad, f"of {tried} tries", Goal(tried, tried)),
                "; ".join(said),
            )
        else:
            yield Row(name, 0, "tries", "at least 1", False), "; ".join(said)


def _outcome(case: Callable[[Path, bool], harm.Outcome], work: Path, quick: bool) -> harm.Outcome:
    """Return what came of a case; what is done in `work` is not done again."""
    kept = work / f"{case.__name__}{'-quick' * quick}.json"
    if not kept.exists():
        folder = work / case.__name__
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        kept.write_text(json.dumps(asdict(case(folder, quick))))
    return harm.Outcome(**json.loads(kept.read_text()))


def run_tests(names: set[str]) -> dict[str, tuple[int, int]]:
    """Run these tests in a process of their own; return how often each passed and did not."""
    if not names:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.xml"
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", f"--junitxml={told}",
             *(f"tests/{name}" for name in sorted(names))],
            capture_output=True, check=False, env=os.environ | {"COLUMNS": "200"},
        )  # fmt: skip
        cases = ElementTree.parse(told).iter("testcase") if told.exists() else ()
        counts: dict[str, tuple[int, int]] = {}
        for case in cases:
            module = case.get("classname", "").removeprefix("tests.").replace(".", "/")
            name = f"{module}.py::{case.get('name', '').partition('[')[0]}"
            good, wrong = counts.get(name, (0, 0))
            failed = any(child.tag in ("failure", "error", "skipped") for child in case)
            counts[name] = (good + (not failed), wrong + failed)
        return counts
