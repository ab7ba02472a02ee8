using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Serve.Calls;
using Serve.Runtime.Methods;
using Serve.Runtime.Objects;

namespace Serve.Runtime.Serialization;

/// <summary>Encodes and decodes the values of one cluster in this process: arguments, results and objects, each by its declared type. Thread-safe.</summary>
public sealed class ObjectValueCodec : IValueCodec
{
    private readonly ConcurrentDictionary<Type, ValueTypeEncoder> _encoders = new();
    private readonly Dictionary<Type, ValueSerializer> _serializers;
    private readonly Lazy<JsonSerializerOptions> _json;
    private readonly JsonConverter[] _converters;

    /// <summary>Creates a codec.</summary>
    /// <param name="serializers">Serializers of the user, which have precedence.</param>
    /// <param name="converters">JSON converters for types of the runtime.</param>
    public ObjectValueCodec(IEnumerable<ValueSerializer> serializers, params IEnumerable<JsonConverter> converters)
    {
        _serializers = serializers.ToDictionary(serializer => serializer.ValueType);
        _converters = [.. converters];
        _json = new(CreateJsonOptions);
    }

    public JsonSerializerOptions Json => _json.Value;

    /// <summary>Shared memory for large values; null if all values are sent in messages.</summary>
    public ISharedMemoryStore? Segments { get; init; }

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
        catch (Exception thrown) when (thrown is NotSupportedException or JsonException or InvalidOperationException or ArgumentException)
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
        var type = shape.Actual ?? (declared.IsAssignableFrom(shape.Declared) ? shape.Declared : declared);
        try
        {
            return GetEncoder(type).Decode(stored, type);
        }
        catch (Exception thrown) when (thrown is NotSupportedException or JsonException or InvalidCastException or MissingMethodException)
        {
            throw new NotSerializableException($"A value of type {CSharpTypeNames.Format(type)} cannot be deserialized: {thrown.Message} {Remedy}", thrown);
        }
    }

    public EncodedObject EncodePart(Type declared, object? value)
    {
        if (value is null)
            return new InlineEncodedObject(this, new(EncodedValueFormat.Null, declared), default);
        var actual = GetActualType(declared, value.GetType());
        return GetEncoder(actual ?? declared).Encode(this, declared, actual, value);
    }

    public unsafe EncodedObject Store(EncodedValueShape shape, ReadOnlyMemory<byte> bytes, IReadOnlyList<object>? references = null)
    {
        if (Segments is null || bytes.Length < ISharedMemoryStore.MinimumBytes)
            return new InlineEncodedObject(this, shape, bytes) { References = references ?? [] };
        using var pin = bytes.Pin();
        return Segments.Store(this, shape, (byte*)pin.Pointer, bytes.Length, references ?? []);
    }

    public unsafe EncodedObject Store(EncodedValueShape shape, byte* start, long length) => Segments is null || length < ISharedMemoryStore.MinimumBytes
        ? new InlineEncodedObject(this, shape, new ReadOnlySpan<byte>(start, checked((int)length)).ToArray())
        : Segments.Store(this, shape, start, length, []);

    // Runtime type that determines the encoding; null if the declared type is sufficient to encode all data and to decode it.
    private Type? GetActualType(Type declared, Type own)
    {
        declared = Nullable.GetUnderlyingType(declared) ?? declared;
        if (own == declared || declared.IsSealed || _serializers.ContainsKey(declared) || typeof(ObjectRef).IsAssignableFrom(declared) || ValueTypeTraits.HandleOf(declared) is not null)
            return null;
        if (ValueTypeTraits.HandleOf(own) is { } handle)
            return handle;
        if (Array.Find(_converters, converter => converter.Type?.IsAssignableFrom(own) == true) is { Type: var converted })
            return converted == declared ? null : converted;
        if (typeof(ObjectRef).IsAssignableFrom(own) || _serializers.ContainsKey(own) || IsElements(own))
            return own;
        if (declared.IsInterface && declared.Namespace is "System.Collections" or "System.Collections.Generic")
            return null;
        return MemoryPackValueEncoder.Supports(declared) || declared.IsDefined(typeof(JsonPolymorphicAttribute), inherit: false) ||
            declared.IsDefined(typeof(JsonDerivedTypeAttribute), inherit: false) || declared.IsDefined(typeof(JsonConverterAttribute), inherit: false)
            ? null
            : own;
    }

    private static bool IsElements(Type type) => type.IsArray && ValueTypeTraits.IsUnmanaged(type.GetElementType()!);

    private ValueTypeEncoder GetEncoder(Type type) => _encoders.TryGetValue(type, out var form) ? form : _encoders.GetOrAdd(type, CreateEncoder);

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
        if (ValueTypeTraits.IsTuple(type))
            return new TupleValueEncoder(type);
        if (MemoryPackValueEncoder.Supports(type))
            return new MemoryPackValueEncoder();
        return SerializationObstacleFinder.Find(type, Json) is { } obstacle ? throw new NotSupportedException(obstacle + ".") : new JsonValueEncoder();
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

    private const string Remedy =
        "Give the type public properties and a constructor that takes them, or mark it with [MemoryPackable], or add a ValueSerializer for it to ClusterOptions.Serializers; or run the task with Isolation.None.";

    private static NotSerializableException Unserializable(string subject, Type type, Exception cause)
    {
        var why = cause is JsonException && cause.Message.Contains("cycle", StringComparison.Ordinal)
            ? "its members form a cycle or are nested too deeply. Pass a flat structure, with ids instead of references."
            : cause.Message;
        return new($"{char.ToUpperInvariant(subject[0])}{subject[1..]} cannot be sent to another process. It is of type {CSharpTypeNames.Format(type)}: {why} {Remedy}", cause);
    }

    private JsonSerializerOptions CreateJsonOptions()
    {
        var options = new JsonSerializerOptions(ServeJson.Calls)
        {
            IncludeFields = true,
            NumberHandling = ServeJson.Calls.NumberHandling | JsonNumberHandling.AllowNamedFloatingPointLiterals,
            MaxDepth = 256,
        };
        if (_serializers.Count > 0)
            options.Converters.Add(new CustomSerializerJsonConverter(_serializers));
        options.Converters.Add(new ObjectRefJsonConverterFactory());
        options.Converters.Add(new ActorHandleJsonConverterFactory());
        options.Converters.Add(new ActorQueueJsonConverterFactory());
        options.Converters.Add(new UnmanagedArrayJsonConverterFactory());
        foreach (var converter in _converters)
            options.Converters.Add(converter);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
