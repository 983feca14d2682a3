"""No file that is read can run code, and no name can lead out of a folder."""

import ast
import io
import json
import pathlib
import pickle
import zipfile

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf import commandline
from ijsat_tf.evaluation import records
from tests import tiny
from tests.commands import run

ROOT = pathlib.Path(__file__).resolve().parents[1]
OUTSIDE = ["..", "../x", "a/../../x", "/tmp/x", ".hidden", "", "a/b", "~/x"]


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")
def test_a_lambda_in_a_network_does_not_run(ending, tmp_path):
    path, touched = tmp_path / f"model.{ending}", tmp_path / "touched"
    # The path is of the closure, which a Lambda saves with its code.
    name = str(touched)
    keras.Sequential(
        [
            keras.layers.Input((3,)),
            keras.layers.Lambda(lambda x: (open(name, "w").close(), x)[1]),
        ]
    ).save(path)
    assert touched.exists()
    touched.unlink()
    with pytest.raises(ValueError, match="cannot be read as a classifier"):
        commandline.load(str(path), "classifier")
    assert not touched.exists()
    if ending == "keras":
        keras.saving.load_model(path, safe_mode=False)
        assert touched.exists()


@pytest.mark.parametrize(
    ("module", "name", "config"),
    [
        ("pathlib", "Path", {"touched": ""}),
        ("subprocess", "Popen", {"args": ["touch", "touched"]}),
        ("builtins", "eval", {"source": "open('touched', 'w')"}),
    ],
)
def test_a_network_names_no_code_but_that_of_networks(
    module, name, config, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    model.save("whole.keras")
    with (
        zipfile.ZipFile("whole.keras") as whole,
        zipfile.ZipFile("model.keras", "w") as changed,
    ):
        for member in whole.namelist():
            content = whole.read(member)
            if member == "config.json":
                found = json.loads(content)
                found["config"]["layers"][1] = {
                    "module": module,
                    "class_name": name,
                    "config": config,
                    "registered_name": name,
                }
                content = json.dumps(found)
            changed.writestr(member, content)
    with pytest.raises(ValueError, match="cannot be read as a classifier"):
        commandline.load("model.keras", "classifier")
    assert not pathlib.Path("touched").exists()


def test_a_pickle_in_a_record_is_not_read(tmp_path):
    path, touched = tmp_path / "pgd.npz", tmp_path / "touched"
    np.savez(path, settings=np.array([Touch(touched)], object))
    with pytest.raises(ValueError, match="cannot be read as a record"):
        records.load(path)
    assert not touched.exists()
    with np.load(path, allow_pickle=True) as arrays:
        arrays["settings"][0].close()
    assert touched.exists()


def test_a_pickle_in_published_images_is_not_read(tmp_path):
    touched = tmp_path / "touched"
    file = io.BytesIO()
    pickle.dump(Touch(touched), file)
    for name in ("fog.npy", "labels.npy"):
        (tmp_path / name).write_bytes(file.getvalue())
    with pytest.raises(ValueError, match="not a NumPy array of numbers"):
        ij.data.load_corrupted(tmp_path, "fog", 1)
    assert not touched.exists()


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_name_leads_out_of_a_folder(name, tmp_path, classifier):
    folder = tmp_path / "inside"
    data = tiny.random_images(), np.arange(6) % 3
    attack = ij.attacks.FGSM(ij.spaces.Linf(0.1))
    for given in ({"attacks": {name: attack}}, {"attacks": {}, "clean": name}):
        with pytest.raises(ValueError, match="names of files"):
            ij.evaluation.evaluate(classifier, data, folder=folder, **given)
    with pytest.raises(ValueError, match="`name` must"):
        ij.data.load(name, "test", str(folder))
    with pytest.raises(ValueError, match="`name` must"):
        ij.data.store(name, {}, folder)
    with pytest.raises(ValueError, match="`name` must"):
        ij.data.load_corrupted(folder, name, 1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["kaggle:x", "huggingface:a/b", "user:set"])
def test_no_data_set_brings_code(name):
    with pytest.raises(ValueError, match="`name` must"):
        ij.data.load(name, "train")


@pytest.mark.parametrize("runs", ["..=runs/x", "..", "a/..", ".=runs/x"])
def test_no_run_leads_out_of_the_records(runs, tmp_path):
    inside = tmp_path / "inside"
    asked = f"--runs={runs}", f"--records={inside}", "--attacks=fgsm"
    outcome = run("eval", *asked)
    assert "gives no name" in outcome.error
    assert not list(tmp_path.iterdir())


def calls(tree):
    """Each call with the name of what is called, as written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def forbidden(tree) -> list[str]:
    """What could run code that a file holds."""
    found = []
    for node, name in calls(tree):
        given = {each.arg: ast.unparse(each.value) for each in node.keywords}
        if name in ("eval", "exec", "compile", "__import__", "os.system"):
            found.append(name)
        if name.split(".")[0] in ("pickle", "marshal", "shelve", "yaml"):
            found.append(name)
        if name.endswith(("enable_unsafe_deserialization", "saved_model.load")):
            found.append(name)
        if given.get("safe_mode", "True") != "True":
            found.append(f"{name}(safe_mode)")
        if name in ("np.load", "numpy.load"):
            if given.get("allow_pickle") != "False":
                found.append(f"{name} without allow_pickle=False")
        elif given.get("allow_pickle", "False") != "False":
            found.append(f"{name}(allow_pickle)")
        if name == "torch.load" and given.get("weights_only") != "True":
            found.append(f"{name} without weights_only=True")
        if given.get("shell", "False") != "False":
            found.append(f"{name}(shell)")
    return found


@pytest.mark.parametrize(
    "text",
    [
        "eval('1')",
        "x = [exec(line) for line in file]",
        "pickle.load(file)",
        "keras.config.enable_unsafe_deserialization()",
        "keras.saving.load_model(path, safe_mode=False)",
        "keras.saving.load_model(path, safe_mode=flag)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "torch.load(path)",
        "subprocess.run(line, shell=True)",
        "yaml.load(file)",
    ],
)
def test_the_scan_finds(text):
    assert forbidden(ast.parse(text))


@pytest.mark.parametrize("folder", ["ijsat_tf", "train", "eval", "benchmarks"])
def test_no_source_runs_what_it_reads(folder):
    found = {
        str(path.relative_to(ROOT)): wrong
        for path in (ROOT / folder).rglob("*.py")
        if (wrong := forbidden(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert not found
