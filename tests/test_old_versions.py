"""Model files that versions of long ago wrote, and what those versions answered.

Trained by the version that each is named for, less the statistics that say nothing of predictions,
without which the library refuses them: so there is no proof.
"""

import numpy as np
import pytest

import penstock
from penstock.converters import files
from tests import contract

ROWS = np.array([[0, 0.1], [1, 1.5], [2, np.nan], [3, 2.75], [4, 0.6], [np.nan, 0.6]])

# With numbers of categories below the leaves.
XGBOOST_1_0 = """\
{"learner": {"attributes": {}, "gradient_booster": {"model": {"gbtree_model_param":
{"num_trees": "2", "size_leaf_vector": "0"}, "tree_info": [0, 0], "trees": [{"default_left":
[false, false, false, false, false], "id": 0, "leaf_child_counts": [1, 2, 0, 0, 0],
"left_children": [1, 3, -1, -1, -1], "right_children": [2, 4, -1, -1, -1], "split_conditions":
[1.375, 0.125, 1.078125, -0.125, 0.30000001192092896], "split_indices": [1, 1, 0, 0, 0],
"tree_param": {"num_feature": "2", "num_nodes": "5", "size_leaf_vector": "0"}}, {"default_left":
[true, false, true, false, false, false, false], "id": 1, "leaf_child_counts": [0, 2, 2, 0, 0,
0, 0], "left_children": [1, 3, 5, -1, -1, -1, -1], "right_children": [2, 4, 6, -1, -1, -1, -1],
"split_conditions": [1.375, 0.125, 3.5, -0.09375, 0.18515625596046448, 0.7174479365348816,
0.16796875], "split_indices": [1, 1, 0, 0, 0, 0, 0], "tree_param": {"num_feature": "2",
"num_nodes": "7", "size_leaf_vector": "0"}}]}, "name": "gbtree"}, "learner_model_param":
{"base_score": "0.500000", "num_class": "0", "num_feature": "2"}, "objective": {"name":
"reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}}}, "version": [1, 0, 2]}
"""

# Tests of categories compare with NaN.
XGBOOST_1_7 = """\
{"learner": {"attributes": {"best_iteration": "1", "best_ntree_limit": "2"}, "feature_names":
[], "feature_types": ["c", "q"], "gradient_booster": {"model": {"gbtree_model_param":
{"num_parallel_tree": "1", "num_trees": "2", "size_leaf_vector": "0"}, "tree_info": [0, 0],
"trees": [{"categories": [2], "categories_nodes": [2], "categories_segments": [0],
"categories_sizes": [1], "default_left": [0, 0, 1, 0, 0, 0, 0], "id": 0, "left_children": [1, 3,
5, -1, -1, -1, -1], "right_children": [2, 4, 6, -1, -1, -1, -1], "split_conditions": [1.5, 0.25,
NaN, -0.125, 0.3, 1.1428572, 0.3125], "split_indices": [1, 1, 0, 0, 0, 0, 0], "split_type": [0,
0, 1, 0, 0, 0, 0], "tree_param": {"num_deleted": "0", "num_feature": "2", "num_nodes": "7",
"size_leaf_vector": "0"}}, {"categories": [0, 2, 4], "categories_nodes": [0],
"categories_segments": [0], "categories_sizes": [3], "default_left": [1, 0, 0, 0, 0, 0, 0],
"id": 1, "left_children": [1, 3, 5, -1, -1, -1, -1], "right_children": [2, 4, 6, -1, -1, -1,
-1], "split_conditions": [NaN, 5.50001, 1.0, 0.87714285, 0.0892857, -0.112500004, 0.25431547],
"split_indices": [0, 1, 1, 0, 0, 0, 0], "split_type": [1, 0, 0, 0, 0, 0, 0], "tree_param":
{"num_deleted": "0", "num_feature": "2", "num_nodes": "7", "size_leaf_vector": "0"}}]}, "name":
"gbtree"}, "learner_model_param": {"base_score": "5E-1", "boost_from_average": "0", "num_class":
"0", "num_feature": "2", "num_target": "1"}, "objective": {"name": "reg:squarederror",
"reg_loss_param": {"scale_pos_weight": "1"}}}, "version": [1, 7, 6]}
"""

# Leaves of two values, a row of `base_weights` for each node.
XGBOOST_2_0 = """\
{"learner": {"attributes": {}, "feature_names": [], "feature_types": [], "gradient_booster":
{"model": {"gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "1"},
"iteration_indptr": [0, 1], "tree_info": [0], "trees": [{"base_weights": [1.5192307, -6.389423,
0.5714286, -2.125, 2.25, -9.741072, -0.125, -0.125, 0.375, -1.1979166, 1.1666666, -5.21875,
0.4375, -1.390625], "categories": [], "categories_nodes": [], "categories_segments": [],
"categories_sizes": [], "default_left": [1, 0, 0, 0, 0, 0, 0], "id": 0, "left_children": [1, 3,
5, -1, -1, -1, -1], "right_children": [2, 4, 6, -1, -1, -1, -1], "split_conditions": [1.5, 0.25,
4.0, 0.0, 0.0, 0.0, 0.0], "split_indices": [1, 1, 0, 0, 0, 0, 0], "split_type": [0, 0, 0, 0, 0,
0, 0], "tree_param": {"num_deleted": "0", "num_feature": "2", "num_nodes": "7",
"size_leaf_vector": "2"}}]}, "name": "gbtree"}, "learner_model_param": {"base_score": "5E-1",
"boost_from_average": "0", "num_class": "0", "num_feature": "2", "num_target": "2"},
"objective": {"name": "reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}}},
"version": [2, 0, 3]}
"""

# Sizes of trees are those of their texts.
LIGHTGBM_2_0 = """\
tree
version=v2
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=xentropy
feature_names=Column_0 Column_1
feature_infos=1:0:2:3:4 [0:9.75]
tree_sizes=331 333

Tree=0
num_leaves=3
num_cat=0
split_feature=1 1
split_gain=7.29431 1.06028
threshold=4.8750000000000009 2.6250000000000004
decision_type=10 10
left_child=1 -1
right_child=-2 -3
leaf_value=-0.68422741402033316 0.37842189206778448 -0.22127496290436272
leaf_count=11 20 9
internal_value=0 -0.854321
internal_count=40 20
shrinkage=1


Tree=1
num_leaves=3
num_cat=0
split_feature=1 1
split_gain=2.83523 0.563312
threshold=6.3750000000000009 1.8750000000000002
decision_type=10 10
left_child=1 -1
right_child=-2 -3
leaf_value=-0.4421144250423355 0.36512746045876282 -0.10828918326770676
leaf_count=8 14 18
internal_value=0 -0.411035
internal_count=40 26
shrinkage=0.5




feature importances:
Column_1=4

pandas_categorical:null
"""


def answers(name, text):
    """What the converted file answers, a row for each."""
    model = penstock.convert(files.read(name, text.encode()), ROWS, verify=False)
    return np.column_stack(list(model.predict(ROWS).values()))


def single(values):
    return np.array(values, "float32").astype("float64").reshape(len(ROWS), -1)


def test_a_file_of_xgboost_1_0_is_read_as_later_versions_read_it():
    """Its own last bit was another one: it added leaves first, and the base score last."""
    found = answers("model.json", XGBOOST_1_0)
    theirs = [0.28125, 2.295573, 1.7632812, 2.295573, 0.9851563, 0.9851563]
    np.testing.assert_allclose(found, single(theirs), rtol=3e-7)


def test_categories_of_xgboost_1_7_are_tested():
    found = answers("model.json", XGBOOST_1_7)
    theirs = [0.2625, 2.52, 1.0668155, 2.52, 0.6875, 1.6771429]
    assert (found == single(theirs)).all()


def test_leaves_of_several_values_of_xgboost_2_0_convert_without_a_proof():
    theirs = [
        [0.375, 0.375],
        [1.6666666, -4.71875],
        [0.875, -0.6979166],
        [1.6666666, -4.71875],
        [0.875, -0.6979166],
        [0.875, -0.6979166],
    ]
    assert (answers("model.json", XGBOOST_2_0) == single(theirs)).all()
    # XGBoost 3.2 ends the process as it loads the file.
    message = contract.refused(files.read("model.json", XGBOOST_2_0.encode()), ROWS)
    assert 'install `"xgboost<3.2"`' in message


def test_leaves_of_several_values_that_are_cut_short_are_refused():
    text = XGBOOST_2_0.replace("0.4375, -1.390625", "0.4375")
    message = contract.refused(files.read("model.json", text.encode()), ROWS, verify=False)
    assert "`base_weights` has 13 entries, not 14" in message


def test_a_file_of_lightgbm_2_0_is_read():
    found = answers("model.txt", LIGHTGBM_2_0)
    raw = [-1.1263418390626687] * 3 + [-0.32956414617206947] + [-1.1263418390626687] * 2
    value = [0.24483683321213456] * 3 + [0.4183466768860819] + [0.24483683321213456] * 2
    assert found[:, 1].tolist() == raw
    np.testing.assert_allclose(found[:, 0], value, rtol=1e-15)


def test_texts_of_lightgbm_without_a_version_are_refused():
    """Until 2.0.11; some of those mean something else by the same words."""
    text = LIGHTGBM_2_0.replace("version=v2\n", "")
    message = contract.refused(files.read("model.txt", text.encode()), ROWS, verify=False)
    assert "has no `version`" in message


@pytest.mark.parametrize("name", ["model.bin", "model.model", "model.ubj"])
def test_the_old_binary_format_of_xgboost_is_refused_with_what_to_do(name):
    data = b"binf" + np.float32(0.5).tobytes() + bytes(200)
    with pytest.raises(penstock.ConvertError, match=r'pip install "xgboost<3\.1"'):
        files.read(name, data)


def test_the_oldest_binary_format_of_xgboost_is_refused_with_what_to_do():
    with pytest.raises(penstock.ConvertError, match=r"Booster\(model_file=.*save_model"):
        files.read("model.bin", np.float32(0.5).tobytes() + bytes(200))


@pytest.mark.parametrize("text", [XGBOOST_1_7, LIGHTGBM_2_0])
@pytest.mark.parametrize("name", ["model.bin", "model.model"])
def test_files_by_other_names_are_known_by_what_is_in_them(name, text):
    assert type(files.read(name, text.encode())).__name__ in ("LightGBMText", "XGBoostDocument")
