/* The loops over single battles that are slow in numpy. Each has a Python version (models/elo.py,
 * models/covariate_passes.py, data/columns.py, data/tally.py,
 * inference/packed_scores.py), which defines it, is tested against it and runs where
 * the installation had no compiler. Arguments are checked here so that no array can be written past its end.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>

enum { KINDS = 4, BLOCK = 1024, LOOK = 2048, MOST = 1 << 14 /* models whose cells have numbers of 32 bits */ };
static const double SCORE[KINDS] = {1.0, 0.0, 0.5, 0.5}; /* ratings.data.outcomes.SCORES */

/* --- arguments --- */

/* A size of 0 stands for any. */
static int take(PyObject *object, Py_buffer *view, const char *formats, Py_ssize_t size, int writable,
                const char *name)
{
    if (PyObject_GetBuffer(object, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0)))
        return -1;
    if ((size && view->itemsize != size) || !view->format || !strchr(formats, view->format[0])) {
        PyErr_Format(PyExc_TypeError, "%s has items of format %s", name, view->format);
        PyBuffer_Release(view);
        view->obj = NULL;
        return -1;
    }
    return 0;
}

typedef struct {
    Py_buffer a, b, y;
    Py_ssize_t length;
} Battles;

static void leave_battles(Battles *battles)
{
    PyBuffer_Release(&battles->a); /* does nothing to a view that was never taken */
    PyBuffer_Release(&battles->b);
    PyBuffer_Release(&battles->y);
}

/* int32 codes of both models and uint8 outcomes, all in range: 0, or -1 with an exception set. */
static int take_battles(PyObject *a, PyObject *b, PyObject *y, Py_ssize_t models, Battles *battles)
{
    memset(battles, 0, sizeof *battles);
    if (take(a, &battles->a, "il", 4, 0, "model_a") || take(b, &battles->b, "il", 4, 0, "model_b") ||
        take(y, &battles->y, "B", 1, 0, "outcome"))
        goto bad;
    battles->length = battles->y.len;
    if (battles->a.len != 4 * battles->length || battles->b.len != 4 * battles->length) {
        PyErr_SetString(PyExc_ValueError, "the columns of battles differ in length");
        goto bad;
    }
    const uint32_t *i = battles->a.buf, *j = battles->b.buf, last = (uint32_t)(models - 1);
    const uint8_t *outcome = battles->y.buf;
    uint32_t wrong = 0;
    uint8_t kinds = 0;
    for (Py_ssize_t t = 0; t < battles->length; t++) /* the sign bit tells of a code below 0 or above the last */
        wrong |= i[t] | (last - i[t]) | j[t] | (last - j[t]);
    for (Py_ssize_t t = 0; t < battles->length; t++)
        kinds |= outcome[t];
    if (models < 1 || wrong >> 31 || kinds >= KINDS) {
        PyErr_SetString(PyExc_IndexError, "a code is out of range");
        goto bad;
    }
    return 0;
bad:
    leave_battles(battles);
    return -1;
}

/* --- online Elo in logits: xi changes in place --- */

static PyObject *elo(PyObject *module, PyObject *args)
{
    PyObject *a, *b, *y, *out;
    double step;
    Battles battles;
    Py_buffer ratings;
    if (!PyArg_ParseTuple(args, "OOOOd", &a, &b, &y, &out, &step) || take(out, &ratings, "d", 8, 1, "xi"))
        return NULL;
    if (take_battles(a, b, y, ratings.len / 8, &battles)) {
        PyBuffer_Release(&ratings);
        return NULL;
    }
    const int32_t *i = battles.a.buf, *j = battles.b.buf;
    const uint8_t *outcome = battles.y.buf;
    double *xi = ratings.buf;
    for (Py_ssize_t t = 0; t < battles.length; t++) {
        double change = step * (SCORE[outcome[t]] - 1.0 / (1.0 + exp(xi[j[t]] - xi[i[t]])));
        xi[i[t]] += change;
        xi[j[t]] -= change;
    }
    leave_battles(&battles);
    PyBuffer_Release(&ratings);
    Py_RETURN_NONE;
}

#include "_covariate_loops.h"
#include "_tally_loop.h"
#include "_cluster_loop.h"

/* --- factorising a list: codes of texts (and None) in order of first sight; False when something else is met --- */

enum { SEEN = 4096 }; /* texts met lately, by address: columns tend to repeat the same few objects */

static PyObject *codes(PyObject *module, PyObject *args)
{
    PyObject *values, *places, *out;
    Py_buffer view;
    struct {
        PyObject *text;
        int32_t code;
    } seen[SEEN];
    if (!PyArg_ParseTuple(args, "O!O!O", &PyList_Type, &values, &PyDict_Type, &places, &out) ||
        take(out, &view, "il", 4, 1, "codes"))
        return NULL;
    Py_ssize_t length = PyList_GET_SIZE(values);
    if (view.len != 4 * length) {
        PyErr_SetString(PyExc_ValueError, "there is one code a value");
        PyBuffer_Release(&view);
        return NULL;
    }
    memset(seen, 0, sizeof seen);
    int32_t *code = view.buf;
    for (Py_ssize_t row = 0; row < length; row++) {
        PyObject *text = PyList_GET_ITEM(values, row);
        size_t slot = ((uintptr_t)text >> 4) % SEEN;
        if (seen[slot].text == text) {
            code[row] = seen[slot].code;
            continue;
        }
        if (!PyUnicode_CheckExact(text) && text != Py_None) { /* its equality may be anything: not for here */
            PyBuffer_Release(&view);
            Py_RETURN_FALSE;
        }
        PyObject *place = PyDict_GetItemWithError(places, text);
        if (!place && !PyErr_Occurred()) {
            place = PyLong_FromSsize_t(PyDict_GET_SIZE(places));
            if (place && PyDict_SetItem(places, text, place))
                Py_CLEAR(place);
            Py_XDECREF(place); /* the dictionary holds it now */
        }
        if (!place) {
            PyBuffer_Release(&view);
            return NULL;
        }
        seen[slot].text = text;
        code[row] = seen[slot].code = (int32_t)PyLong_AsLong(place);
    }
    PyBuffer_Release(&view);
    Py_RETURN_TRUE;
}

static PyMethodDef METHODS[] = {
    {"elo", elo, METH_VARARGS, "elo(a, b, outcome, xi, step): online Elo in logits, in place"},
    {"gradient", gradient, METH_VARARGS, "gradient(passage, total): add the gradient to total"},
    {"outer", outer, METH_VARARGS, "outer(passage, squared, pairs, cross, square): add the second moments"},
    {"tally", tally, METH_VARARGS, "tally(a, b, outcome, models, table): whether all codes were in range"},
    {"packed", packed, METH_VARARGS, "packed(records, models, size, unknown, values, ways, shared): votes and places of ways"},
    {"codes", codes, METH_VARARGS, "codes(values, places, out): whether all values were texts or None"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_loops", "The loops over single battles.", -1, METHODS,
                                    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__loops(void) { return PyModule_Create(&MODULE); }
