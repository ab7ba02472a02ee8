using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Serve.Calls;
using Serve.Runtime.Methods;
using Serve.Runtime.Objects;

namespace Serve.Runtime.Serialization;

/// <summary>
/// Writes and reads the values of one cluster in this process: arguments, results and objects, each on its own and by its declared type.
/// Thread-safe.
/// </summary>
internal sealed class ValueCodec
{
    private readonly ConcurrentDictionary<Type, ValueForm> forms = new();
    private readonly Dictionary<Type, ValueSerializer> serializers;
    private readonly Lazy<JsonSerializerOptions> json;
    private readonly JsonConverter[] converters;

    /// <param name="serializers">The user's, which come first.</param>
    /// <param name="converters">For types of the runtime that travel inside values as something else.</param>
    public ValueCodec(IEnumerable<ValueSerializer> serializers, params IEnumerable<JsonConverter> converters)
    {
        this.serializers = serializers.ToDictionary(serializer => serializer.ValueType);
        this.converters = [.. converters];
        json = new(MakeJson);
    }

    public JsonSerializerOptions Json => json.Value;

    /// <summary>Where large values go; null where there is no shared memory, and all of them travel in messages.</summary>
    public ISegmentSource? Segments { get; init; }

    /// <summary>Writes a value.</summary>
    /// <param name="declared">The type of the parameter, the result or the ref.</param>
    /// <param name="value">The value; a <see cref="RefArgument"/> stands for the object of its ref, which is ready.</param>
    /// <param name="subject">What it is, as an error message begins: <c>argument 'x' of Demo.Aggregate</c>.</param>
    /// <exception cref="NotSerializableException">It cannot travel.</exception>
    public EncodedObject Encode(Type declared, object? value, string subject)
    {
        try
        {
            return value is RefArgument argument ? Of(argument.Reference) : EncodePart(declared, value);
        }
        catch (Exception thrown) when (thrown is NotSupportedException or JsonException or InvalidOperationException or ArgumentException)
        {
            throw Unserializable(subject, value?.GetType() ?? declared, thrown);
        }
    }

    /// <summary>The object of a ref that is ready and well as bytes; written once, however often it is sent.</summary>
    public EncodedObject Of(ObjectRef reference)
    {
        if (reference.Stored is EncodedObject stored)
            return stored;
        var encoded = Encode(reference.ValueType, reference.Box(), $"object {reference.Id}");
        reference.Stored = encoded;
        return encoded;
    }

    /// <summary>Reads a value.</summary>
    /// <exception cref="ObjectLostException">Its bytes are gone.</exception>
    /// <exception cref="NotSerializableException">The bytes are not of this type.</exception>
    public object? Decode(EncodedObject stored, Type declared)
    {
        var shape = stored.Shape;
        if (shape.Format == ValueFormat.Null)
            return null;
        declared = Nullable.GetUnderlyingType(declared) ?? declared;
        var type = shape.Actual ?? (declared.IsAssignableFrom(shape.Declared) ? shape.Declared : declared);
        try
        {
            return FormOf(type).Decode(stored, type);
        }
        catch (Exception thrown) when (thrown is NotSupportedException or JsonException or InvalidCastException or MissingMethodException)
        {
            throw new NotSerializableException($"A value of type {TypeNames.Of(type)} cannot be read back: {thrown.Message} {Remedy}", thrown);
        }
    }

    /// <summary>As <see cref="Encode"/>, for a part of a value.</summary>
    public EncodedObject EncodePart(Type declared, object? value)
    {
        if (value is null)
            return new InlineObject(this, new(ValueFormat.Null, declared), default);
        var actual = ActualOf(declared, value.GetType());
        return FormOf(actual ?? declared).Encode(this, declared, actual, value);
    }

    /// <summary>Keeps bytes that were made for this: as they are, or in shared memory when there are many.</summary>
    public unsafe EncodedObject Store(ValueShape shape, ReadOnlyMemory<byte> bytes, IReadOnlyList<object>? references = null)
    {
        if (Segments is null || bytes.Length < ISegmentSource.Least)
            return new InlineObject(this, shape, bytes) { References = references ?? [] };
        using var pin = bytes.Pin();
        return Segments.Store(this, shape, (byte*)pin.Pointer, bytes.Length, references ?? []);
    }

    /// <summary>Copies bytes, to shared memory when there are many.</summary>
    public unsafe EncodedObject Store(ValueShape shape, byte* start, long length) => Segments is null || length < ISegmentSource.Least
        ? new InlineObject(this, shape, new ReadOnlySpan<byte>(start, checked((int)length)).ToArray())
        : Segments.Store(this, shape, start, length, []);

    // What a value's own type decides about its bytes: null when the declared one is enough to write all of it and to read it back.
    private Type? ActualOf(Type declared, Type own)
    {
        declared = Nullable.GetUnderlyingType(declared) ?? declared;
        if (own == declared || declared.IsSealed || serializers.ContainsKey(declared) || typeof(ObjectRef).IsAssignableFrom(declared) || ValueTypes.HandleOf(declared) is not null)
            return null;
        if (ValueTypes.HandleOf(own) is { } handle)
            return handle;
        if (Array.Find(converters, converter => converter.Type?.IsAssignableFrom(own) == true) is { Type: var converted })
            return converted == declared ? null : converted;
        if (typeof(ObjectRef).IsAssignableFrom(own) || serializers.ContainsKey(own) || IsElements(own))
            return own;
        if (declared.IsInterface && declared.Namespace is "System.Collections" or "System.Collections.Generic")
            return null;
        return MemoryPackForm.Fits(declared) || declared.IsDefined(typeof(JsonPolymorphicAttribute), inherit: false) ||
            declared.IsDefined(typeof(JsonDerivedTypeAttribute), inherit: false) || declared.IsDefined(typeof(JsonConverterAttribute), inherit: false)
            ? null
            : own;
    }

    private static bool IsElements(Type type) => type.IsArray && ValueTypes.IsUnmanaged(type.GetElementType()!);

    private ValueForm FormOf(Type type) => forms.TryGetValue(type, out var form) ? form : forms.GetOrAdd(type, Choose);

    private ValueForm Choose(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (serializers.TryGetValue(type, out var serializer))
            return new CustomForm(serializer);
        if (type == typeof(string))
            return new TextForm();
        if (Scalar(type) is { } scalar)
            return scalar;
        if (IsElements(type))
            return new ArrayForm(type);
        if (typeof(ObjectRef).IsAssignableFrom(type))
            return new ReferenceForm();
        if (ValueTypes.HandleOf(type) is not null)
            return new HandleForm();
        if (ValueTypes.IsUnmanaged(type))
            return Make(typeof(RawForm<>), type);
        if ((ValueTypes.Is(type, typeof(Memory<>)) || ValueTypes.Is(type, typeof(ReadOnlyMemory<>))) && ValueTypes.IsUnmanaged(type.GetGenericArguments()[0]))
            return Make(typeof(MemoryForm<>), type.GetGenericArguments()[0]);
        if (ValueTypes.IsTuple(type))
            return new TupleForm(type);
        if (MemoryPackForm.Fits(type))
            return new MemoryPackForm();
        return Obstacle.Find(type, Json) is { } obstacle ? throw new NotSupportedException(obstacle + ".") : new JsonForm();
    }

    // The frequent ones without making a generic type at run time.
    private static ValueForm? Scalar(Type type) => type.IsEnum ? null : Type.GetTypeCode(type) switch
    {
        TypeCode.Boolean => new RawForm<bool>(),
        TypeCode.Byte => new RawForm<byte>(),
        TypeCode.Char => new RawForm<char>(),
        TypeCode.Int32 => new RawForm<int>(),
        TypeCode.Int64 => new RawForm<long>(),
        TypeCode.Single => new RawForm<float>(),
        TypeCode.Double => new RawForm<double>(),
        _ => null,
    };

    private static ValueForm Make(Type form, Type argument) => (ValueForm)Activator.CreateInstance(form.MakeGenericType(argument))!;

    private const string Remedy =
        "Give the type public properties and a constructor that takes them, or [MemoryPackable], or name a ValueSerializer for it in ClusterOptions.Serializers; or run the task with Isolation.None.";

    private static NotSerializableException Unserializable(string subject, Type type, Exception cause)
    {
        var why = cause is JsonException && cause.Message.Contains("cycle", StringComparison.Ordinal)
            ? "its members lead back to itself, or too deep. Pass it flat, with ids instead of references."
            : cause.Message;
        return new($"{char.ToUpperInvariant(subject[0])}{subject[1..]} cannot be sent to another process. It is of type {TypeNames.Of(type)}: {why} {Remedy}", cause);
    }

    private JsonSerializerOptions MakeJson()
    {
        var options = new JsonSerializerOptions(ServeJson.Calls)
        {
            IncludeFields = true,
            NumberHandling = ServeJson.Calls.NumberHandling | JsonNumberHandling.AllowNamedFloatingPointLiterals,
            MaxDepth = 256,
        };
        if (serializers.Count > 0)
            options.Converters.Add(new JsonCustomConverter(serializers));
        options.Converters.Add(new JsonRefConverter());
        options.Converters.Add(new JsonHandleConverter());
        options.Converters.Add(new JsonQueueConverter());
        options.Converters.Add(new JsonArrayConverter());
        foreach (var converter in converters)
            options.Converters.Add(converter);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
