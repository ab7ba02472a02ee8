using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Serve.Runtime.Objects;

namespace Serve.Runtime.Serialization.Graphs;

/// <summary>Writes one graph of objects into a buffer. Used by one thread at a time; instances are reused.</summary>
/// <remarks>
/// Format of an object: 0 null, 1 a new object of the declared type, 2 a new object of the type that follows, n + 3 the n-th object again. A type is written by
/// name once, afterwards by position. Numbers are variable-length, unmanaged values their memory. There are no versions: both processes run the same build.
/// </remarks>
internal sealed class GraphWriter
{
    [ThreadStatic]
    private static GraphWriter? _cached;

    private readonly ObjectIdTable _ids = new();
    private readonly HashSet<object> _open = new(ReferenceEqualityComparer.Instance);
    private Dictionary<ObjectCodec, int>? _types;
    private List<object>? _references;
    private List<EncodedObject>? _arrays;
    private List<Array>? _found;
    private IValueCodec? _codec;
    private byte[] _buffer = new byte[512];
    private int _position;
    private int _depth;

    /// <param name="codec">Codec of the value; null for a value without references and arrays next to it.</param>
    public static GraphWriter Rent(IValueCodec? codec)
    {
        var writer = _cached ?? new();
        _cached = null;
        writer._codec = codec;
        return writer;
    }

    /// <summary>Makes the writer available to the next value of this thread.</summary>
    public void Return()
    {
        if (_buffer.Length > 1 << 20)
            _buffer = new byte[512];
        (_codec, _references, _arrays, _found, _position, _depth) = (null, null, null, null, 0, 0);
        _types?.Clear();
        _open.Clear();
        _ids.Clear();
        _cached = this;
    }

    /// <summary>Stores the written graph with its references and with the large arrays next to it.</summary>
    public EncodedObject Store(Type declared)
    {
        var (shape, bytes) = (new EncodedValueShape(EncodedValueFormat.Graph, declared), _buffer.AsMemory(0, _position));
        if (_arrays is null)
            return _codec!.StoreCopy(shape, bytes.Span, _references);
        return new CompositeEncodedObject(_codec!, shape, [new InlineEncodedObject(_codec!, shape, bytes.ToArray()), .. _arrays]) { References = _references ?? (IReadOnlyList<object>)[] };
    }

    public byte[] ToArray() => _buffer.AsSpan(0, _position).ToArray();

    /// <summary>Returns the arrays of unmanaged elements that are written.</summary>
    public IReadOnlyList<Array> FindArrays(Action write)
    {
        _found = [];
        write();
        return _found;
    }

    /// <summary>Called for each array of unmanaged elements before it is written.</summary>
    public void OnRawArray(Array array) => _found?.Add(array);

    /// <summary>Whether an array is stored next to the graph, in shared memory.</summary>
    public bool StoresNextToGraph(long bytes) => bytes >= ISharedMemoryStore.MinimumBytes && _codec is { HasSharedMemory: true };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteRaw<T>(T value) => Unsafe.WriteUnaligned(ref MemoryMarshal.GetReference(Reserve(Unsafe.SizeOf<T>())), value);

    public void WriteBytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    public void WriteInt(int value)
    {
        var rest = (uint)value;
        for (; rest >= 0x80; rest >>= 7)
            WriteRaw((byte)(rest | 0x80));
        WriteRaw((byte)rest);
    }

    /// <summary>Writes a string: as ASCII if possible, otherwise as UTF-16, so that unpaired surrogates are preserved.</summary>
    public void WriteText(string? text)
    {
        if (text is null)
        {
            WriteRaw((byte)0);
        }
        else if (Ascii.IsValid(text))
        {
            WriteTextLength(text.Length, wide: false);
            Encoding.ASCII.GetBytes(text, Reserve(text.Length));
        }
        else
        {
            WriteTextLength(text.Length, wide: true);
            WriteBytes(MemoryMarshal.AsBytes(text.AsSpan()));
        }
    }

    // 1 + 2 * length + wide, which exceeds 32 bits for no string: the longest has 2^30 characters.
    private void WriteTextLength(int length, bool wide) => WriteInt((int)(1u + ((uint)length << 1) + (wide ? 1u : 0u)));

    /// <summary>Assigns an id to an object that occurs once.</summary>
    public void SkipId() => _ids.Skip();

    /// <summary>Whether an object has been written; otherwise it is assigned the next id.</summary>
    public bool TryGetId(object value, out int id) => _ids.TryGet(value, out id);

    /// <summary>Writes the type of an object.</summary>
    public void WriteType(ObjectCodec codec)
    {
        _types ??= [];
        if (_types.TryGetValue(codec, out var position))
        {
            WriteInt(position + 1);
            return;
        }

        _types.Add(codec, _types.Count);
        WriteInt(0);
        WriteText(codec.TypeName);
    }

    /// <summary>Writes the content of an object.</summary>
    public void WriteContent(ObjectCodec codec, object value)
    {
        if (codec.IsCompleteOnRead)
            Open(value);
        if ((++_depth & 15) == 0 && !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            DeepStack.Run(() => codec.Write(this, value));
        else
            codec.Write(this, value);
        _depth--;
        if (codec.IsCompleteOnRead)
            Close(value);
    }

    /// <summary>Marks an object to which the values written until <see cref="Close"/> must not refer, since the reader creates it from them.</summary>
    public void Open(object value) => _open.Add(value);

    public void Close(object value) => _open.Remove(value);

    /// <summary>Rejects a cycle through an object that the reader can only create from its complete content.</summary>
    public void CheckNotOpen(object value)
    {
        if (_open.Count > 0 && _open.Contains(value))
            throw new UnserializableValueException(value.GetType(), "it contains itself, and can only be created when its content exists", value);
    }

    /// <summary>Adds an object reference or actor handle to the value.</summary>
    public void AddReference(object reference)
    {
        if (_codec is null)
            throw new UnserializableValueException(reference.GetType(), "an exception cannot contain object references and actor handles", reference);
        (_references ??= []).Add(reference);
    }

    /// <summary>Stores an array next to the graph, in shared memory if it is large.</summary>
    /// <returns>Its position, from 1.</returns>
    public int AddArray(Array array)
    {
        (_arrays ??= []).Add(_codec!.EncodePart(array.GetType(), array));
        return _arrays.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Span<byte> Reserve(int count)
    {
        if (_buffer.Length - _position < count)
            Grow(count);
        var reserved = _buffer.AsSpan(_position, count);
        _position += count;
        return reserved;
    }

    private void Grow(int count)
    {
        var needed = (long)_position + count;
        if (needed > Array.MaxLength)
            throw new NotSupportedException("it is larger than 2 GB. Pass large arrays as values of their own, or as object references");
        Array.Resize(ref _buffer, (int)Math.Min(Array.MaxLength, Math.Max(_buffer.Length * 2L, needed)));
    }
}

/// <summary>Ids of objects in the order in which they are first written; a hash table by identity.</summary>
internal sealed class ObjectIdTable
{
    private object?[] _keys = new object?[64];
    private int[] _ids = new int[64];
    private int[] _slots = new int[32];
    private int _used;
    private int _next;

    public void Skip() => _next++;

    public bool TryGet(object value, out int id)
    {
        var mask = _keys.Length - 1;
        var slot = Slot(value, mask);
        for (; _keys[slot] is { } key; slot = (slot + 1) & mask)
        {
            if (!ReferenceEquals(key, value))
                continue;
            id = _ids[slot];
            return true;
        }

        _keys[slot] = value;
        _ids[slot] = id = _next++;
        _slots[_used++] = slot;
        if (_used == _slots.Length)
            Grow();
        return false;
    }

    public void Clear()
    {
        foreach (var slot in _slots.AsSpan(0, _used))
            _keys[slot] = null;
        if (_keys.Length > 4096)
            (_keys, _ids, _slots) = (new object?[64], new int[64], new int[32]);
        (_used, _next) = (0, 0);
    }

    private static int Slot(object value, int mask) => (int)((uint)(RuntimeHelpers.GetHashCode(value) * -1640531527) >> 7) & mask;

    private void Grow()
    {
        var (keys, ids, mask) = (_keys, _ids, (_keys.Length * 2) - 1);
        (_keys, _ids, _slots, _used) = (new object?[mask + 1], new int[mask + 1], new int[(mask + 1) / 2], 0);
        for (var old = 0; old < keys.Length; old++)
        {
            if (keys[old] is not { } value)
                continue;
            var slot = Slot(value, mask);
            while (_keys[slot] is not null)
                slot = (slot + 1) & mask;
            (_keys[slot], _ids[slot], _slots[_used++]) = (value, ids[old], slot);
        }
    }
}

/// <summary>Runs code on another stack when the current one is nearly exhausted, so that the depth of a graph is limited by memory only.</summary>
internal static class DeepStack
{
    private const int StackBytes = 64 << 20;

    public static void Run(Action action)
    {
        System.Runtime.ExceptionServices.ExceptionDispatchInfo? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    action();
                }
                catch (Exception thrown)
                {
                    failure = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(thrown);
                }
            },
            StackBytes);
        thread.Start();
        thread.Join();
        failure?.Throw();
    }
}
