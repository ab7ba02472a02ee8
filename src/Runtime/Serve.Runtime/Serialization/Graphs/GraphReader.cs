using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Serve.Runtime.Serialization.Graphs;

/// <summary>Reads a graph that a <see cref="GraphWriter"/> wrote. Every length is checked against the remaining bytes before memory is allocated.</summary>
internal sealed unsafe class GraphReader
{
    [ThreadStatic]
    private static GraphReader? _cached;

    private readonly List<ObjectCodec> _types = [];
    private readonly List<Action> _completions = [];
    private object?[] _objects = new object?[16];
    private GraphCodecSet? _codecs;
    private byte* _next;
    private byte* _end;
    private int _count;
    private int _depth;

    /// <summary>Value that is being read.</summary>
    public EncodedObject Source { get; private set; } = null!;

    /// <summary>Reads a value of the declared type.</summary>
    /// <exception cref="InvalidDataException">The bytes are no such value.</exception>
    public static object? Read(GraphCodecSet codecs, EncodedObject source, Type declared)
    {
        var reader = _cached ?? new();
        _cached = null;
        using var view = source.Open();
        (reader._codecs, reader.Source) = (codecs, source);
        reader._next = view.Pointer;
        reader._end = view.Pointer + view.Length;
        try
        {
            var value = codecs.Member(declared).ReadObject(reader);
            if (reader._next != reader._end)
                throw Damaged();
            for (var completion = 0; completion < reader._completions.Count; completion++)
                reader._completions[completion]();
            return value;
        }
        finally
        {
            reader.Reset();
            _cached = reader;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T ReadRaw<T>()
    {
        var size = Unsafe.SizeOf<T>();
        if (_end - _next < size)
            throw Damaged();
        var value = Unsafe.ReadUnaligned<T>(_next);
        _next += size;
        return value;
    }

    public ReadOnlySpan<byte> ReadBytes(long count)
    {
        if (count > _end - _next)
            throw Damaged();
        var bytes = new ReadOnlySpan<byte>(_next, (int)count);
        _next += count;
        return bytes;
    }

    public int ReadInt()
    {
        var value = 0u;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var part = ReadRaw<byte>();
            value |= (uint)(part & 0x7f) << shift;
            if (part < 0x80)
                return (int)value;
        }

        throw Damaged();
    }

    /// <summary>Reads a number of elements, each of which has at least the given number of bytes.</summary>
    public int ReadCount(int elementSize)
    {
        var count = ReadInt();
        CheckCount(count, elementSize);
        return count;
    }

    /// <summary>Throws if the remaining bytes cannot contain a number of elements.</summary>
    public void CheckCount(long count, int elementSize)
    {
        if (count < 0 || count > (_end - _next) / elementSize)
            throw Damaged();
    }

    public string? ReadText()
    {
        var header = (uint)ReadInt();
        if (header == 0)
            return null;
        var (length, wide) = ((header - 1) >> 1, ((header - 1) & 1) == 1);
        return wide ? new string(MemoryMarshal.Cast<byte, char>(ReadBytes(length * 2L))) : Encoding.ASCII.GetString(ReadBytes(length));
    }

    /// <summary>Assigns the next id.</summary>
    public int NextId()
    {
        if (_count == _objects.Length)
            Array.Resize(ref _objects, _count * 2);
        return _count++;
    }

    public void SetObject(int id, object value) => _objects[id] = value;

    public object GetObject(int id) => id >= 0 && id < _count && _objects[id] is { } value ? value : throw Damaged();

    /// <summary>Reads the type of an object, which must be assignable to the declared one.</summary>
    public ObjectCodec ReadType(Type declared)
    {
        var position = ReadInt();
        if (position > _types.Count || position < 0)
            throw Damaged();
        if (position > 0)
            return _types[position - 1];
        var name = ReadText() ?? throw Damaged();
        var type = ValueTypeTraits.Find(name) ?? throw new InvalidDataException($"Type {name} was not found in this process. Driver and workers must be built from the same code.");
        var codec = _codecs!.Object(type);
        if (!declared.IsAssignableFrom(codec.Type))
            throw new InvalidDataException($"An object of type {type} was received for a member of type {declared}.");
        _types.Add(codec);
        return codec;
    }

    /// <summary>Reads the content of an object.</summary>
    public object ReadContent(ObjectCodec codec, int id)
    {
        object? value = null;
        if ((++_depth & 15) == 0 && !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            DeepStack.Run(() => value = codec.Read(this, id));
        else
            value = codec.Read(this, id);
        _depth--;
        return value!;
    }

    /// <summary>Reads an array that is stored next to the graph.</summary>
    public Array ReadArray(int position, Type type)
    {
        var items = Source is CompositeEncodedObject composite ? composite.Items : throw Damaged();
        return position > 0 && position < items.Count && Source.Codec.Decode(items[position], type) is Array array ? array : throw Damaged();
    }

    /// <summary>Adds an action for the time when all objects have been read, in order of addition.</summary>
    public void OnCompleted(Action action) => _completions.Add(action);

    public static InvalidDataException Damaged() => new("The data is damaged, or was written by another build.");

    private void Reset()
    {
        if (_objects.Length > 4096)
            _objects = new object?[16];
        else
            Array.Clear(_objects, 0, _count);
        (_count, _depth, _codecs, Source) = (0, 0, null, null!);
        _next = _end = null;
        _types.Clear();
        _completions.Clear();
    }
}
