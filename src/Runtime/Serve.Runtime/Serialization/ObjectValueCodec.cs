using System.Collections.Concurrent;
using Serve.Calls;
using Serve.Runtime.Methods;
using Serve.Runtime.Objects;
using Serve.Runtime.Serialization.Graphs;

namespace Serve.Runtime.Serialization;

/// <summary>Encodes and decodes the values of one cluster in this process: arguments, results and objects, each by its declared type. Thread-safe.</summary>
public sealed class ObjectValueCodec : IValueCodec
{
    private readonly ConcurrentDictionary<Type, ValueTypeEncoder> _encoders = new();
    private readonly Dictionary<Type, ValueSerializer> _serializers;
    private readonly GraphValueEncoder _graphs;

    /// <summary>Creates a codec.</summary>
    /// <param name="serializers">Serializers of the user, which have precedence.</param>
    /// <param name="runtimeForms">Forms of types of the runtime.</param>
    public ObjectValueCodec(IEnumerable<ValueSerializer> serializers, params IReadOnlyList<RuntimeTypeForm> runtimeForms)
    {
        _serializers = serializers.ToDictionary(serializer => serializer.ValueType);
        _graphs = new(new(_serializers, runtimeForms));
    }

    /// <summary>Shared memory for large values; null if all values are sent in messages.</summary>
    public ISharedMemoryStore? Segments { get; init; }

    public bool HasSharedMemory => Segments is not null;

    /// <summary>Encodes a value.</summary>
    /// <param name="declared">Declared type: of the parameter, result or reference.</param>
    /// <param name="value">Value; a <see cref="ObjectRefArgument"/> stands for the object of its reference, which must be ready.</param>
    /// <param name="subject">Subject of error messages: <c>argument 'x' of Demo.Aggregate</c>.</param>
    /// <exception cref="NotSerializableException">The value cannot be serialized.</exception>
    public EncodedObject Encode(Type declared, object? value, string subject)
    {
        try
        {
            return value is ObjectRefArgument argument ? EncodeObject(argument.Reference) : EncodePart(declared, value);
        }
        catch (Exception thrown) when (thrown is NotSupportedException or UnserializableValueException)
        {
            throw Unserializable(subject, value?.GetType() ?? declared, thrown);
        }
    }

    /// <summary>Encodes the object of a ready reference; encoded once, however often it is sent.</summary>
    public EncodedObject EncodeObject(ObjectRef reference)
    {
        if (reference.Stored is EncodedObject stored)
            return stored;
        var encoded = Encode(reference.ValueType, reference.GetBoxedResult(), $"object {reference.Id}");
        reference.Stored = encoded;
        return encoded;
    }

    public object? Decode(EncodedObject stored, Type declared)
    {
        var shape = stored.Shape;
        if (shape.Format == EncodedValueFormat.Null)
            return null;
        declared = Nullable.GetUnderlyingType(declared) ?? declared;
        var isGraph = shape.Format == EncodedValueFormat.Graph;
        var type = shape.Actual ?? (isGraph || declared.IsAssignableFrom(shape.Declared) ? shape.Declared : declared);
        try
        {
            var encoder = isGraph ? _graphs : GetEncoder(type);
            return encoder.Decode(stored, type) is { } value && declared.IsInstanceOfType(value) ? value : throw new InvalidCastException($"it is not of type {CSharpTypeNames.Format(declared)}.");
        }
        catch (Exception thrown) when (thrown is not (ServeException or ObjectRecomputingException))
        {
            throw new NotSerializableException($"A value of type {CSharpTypeNames.Format(type)} cannot be deserialized: {thrown.Message}", thrown);
        }
    }

    /// <summary>Returns the arrays of unmanaged elements in a value that can be sent.</summary>
    internal IReadOnlyList<Array> FindArrays(object value) => value is string || value.GetType().IsPrimitive ? [] : _graphs.FindArrays(this, value);

    /// <summary>Encodes an exception of user code by value, with its own fields, its stack trace and its inner exceptions.</summary>
    /// <param name="thrown">The exception.</param>
    /// <param name="obstacle">Why it cannot be sent; empty otherwise.</param>
    /// <returns>The bytes; null if it cannot be sent.</returns>
    public byte[]? TryEncodeException(Exception thrown, out string obstacle)
    {
        obstacle = "";
        try
        {
            return _graphs.EncodeSelfContained(typeof(Exception), thrown);
        }
        catch (Exception unserializable)
        {
            obstacle = unserializable.Message;
            return null;
        }
    }

    /// <summary>Decodes an exception that <see cref="TryEncodeException"/> encoded in another process.</summary>
    public Exception? TryDecodeException(ReadOnlyMemory<byte> bytes, out string? obstacle)
    {
        obstacle = null;
        try
        {
            return (Exception?)Decode(new InlineEncodedObject(this, new(EncodedValueFormat.Graph, typeof(Exception)), bytes), typeof(Exception));
        }
        catch (Exception unreadable)
        {
            obstacle = unreadable.Message;
            return null;
        }
    }

    public EncodedObject EncodePart(Type declared, object? value)
    {
        if (value is null)
            return new InlineEncodedObject(this, new(EncodedValueFormat.Null, declared), default);
        var own = value.GetType();
        var encoder = GetEncoder(own);
        var actual = encoder is GraphValueEncoder or ObjectRefValueEncoder ? null : ValueTypeTraits.HandleOf(own) ?? own;
        return encoder.Encode(this, declared, actual == (Nullable.GetUnderlyingType(declared) ?? declared) ? null : actual, value);
    }

    public unsafe EncodedObject StoreCopy(EncodedValueShape shape, ReadOnlySpan<byte> bytes, IReadOnlyList<object>? references = null)
    {
        if (Segments is null || bytes.Length < ISharedMemoryStore.MinimumBytes)
            return new InlineEncodedObject(this, shape, bytes.ToArray()) { References = references ?? [] };
        fixed (byte* start = bytes)
            return Segments.Store(this, shape, start, bytes.Length, references ?? []);
    }

    public unsafe EncodedObject Store(EncodedValueShape shape, byte* start, long length) => Segments is null || length < ISharedMemoryStore.MinimumBytes
        ? new InlineEncodedObject(this, shape, new ReadOnlySpan<byte>(start, checked((int)length)).ToArray())
        : Segments.Store(this, shape, start, length, []);

    private static bool IsElements(Type type) => type.IsArray && ValueTypeTraits.IsUnmanaged(type.GetElementType()!);

    private ValueTypeEncoder GetEncoder(Type type) => _encoders.TryGetValue(type, out var encoder) ? encoder : _encoders.GetOrAdd(type, CreateEncoder);

    private ValueTypeEncoder CreateEncoder(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (_serializers.TryGetValue(type, out var serializer))
            return new CustomValueEncoder(serializer);
        if (type == typeof(string))
            return new StringValueEncoder();
        if (CreateScalarEncoder(type) is { } scalar)
            return scalar;
        if (IsElements(type))
            return new ArrayValueEncoder(type);
        if (typeof(ObjectRef).IsAssignableFrom(type))
            return new ObjectRefValueEncoder();
        if (ValueTypeTraits.HandleOf(type) is not null)
            return new ActorHandleValueEncoder();
        if (ValueTypeTraits.IsUnmanaged(type))
            return CreateGenericEncoder(typeof(UnmanagedValueEncoder<>), type);
        if ((ValueTypeTraits.Is(type, typeof(Memory<>)) || ValueTypeTraits.Is(type, typeof(ReadOnlyMemory<>))) && ValueTypeTraits.IsUnmanaged(type.GetGenericArguments()[0]))
            return CreateGenericEncoder(typeof(MemoryValueEncoder<>), type.GetGenericArguments()[0]);
        return GraphTypeRules.FindDeclaredObstacle(type) is { } obstacle ? throw new NotSupportedException($"{obstacle}.") : _graphs;
    }

    // Frequent types, without constructing a generic type at run time.
    private static ValueTypeEncoder? CreateScalarEncoder(Type type) => type.IsEnum ? null : Type.GetTypeCode(type) switch
    {
        TypeCode.Boolean => new UnmanagedValueEncoder<bool>(),
        TypeCode.Byte => new UnmanagedValueEncoder<byte>(),
        TypeCode.Char => new UnmanagedValueEncoder<char>(),
        TypeCode.Int32 => new UnmanagedValueEncoder<int>(),
        TypeCode.Int64 => new UnmanagedValueEncoder<long>(),
        TypeCode.Single => new UnmanagedValueEncoder<float>(),
        TypeCode.Double => new UnmanagedValueEncoder<double>(),
        _ => null,
    };

    private static ValueTypeEncoder CreateGenericEncoder(Type form, Type argument) => (ValueTypeEncoder)Activator.CreateInstance(form.MakeGenericType(argument))!;

    private static NotSerializableException Unserializable(string subject, Type type, Exception cause) =>
        new($"{char.ToUpperInvariant(subject[0])}{subject[1..]} cannot be sent to another process. It is of type {CSharpTypeNames.Format(type)}: {cause.Message} Isolation.None passes values without serializing them.", cause);
}
