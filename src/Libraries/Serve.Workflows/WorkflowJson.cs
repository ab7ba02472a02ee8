using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Serve.Workflows.Graphs;

namespace Serve.Workflows;

/// <summary>Values of workflows as JSON: public properties and fields by their declared types. A reference to an object of the cluster is stored as the object.</summary>
internal sealed class WorkflowJson
{
    private readonly JsonSerializerOptions _options;
    private readonly JsonSerializerOptions _strict;

    public WorkflowJson(Cluster cluster)
    {
        _options = new()
        {
            IncludeFields = true,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
            PropertyNameCaseInsensitive = true,
            MaxDepth = 512,
            Converters = { new JsonStringEnumConverter(), new ObjectRefConverterFactory(cluster), new ContinuationConverterFactory(this) },
        };
        _strict = new(_options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectRequiredConstructorParameters = true };
        _options.MakeReadOnly(populateMissingResolver: true);
        _strict.MakeReadOnly(populateMissingResolver: true);
    }

    /// <exception cref="ArgumentException">The value cannot be stored.</exception>
    public string Write(object? value, Type type, string description)
    {
        if (value is Stream or Delegate or Task)
            throw new ArgumentException($"{description} of type {value.GetType().Name} cannot be stored. Return data instead.");
        try
        {
            return JsonSerializer.Serialize(value, type, _options);
        }
        catch (Exception failure) when (failure is NotSupportedException or JsonException or InvalidOperationException or ArgumentException)
        {
            throw new ArgumentException($"{description} of type {type.Name} cannot be stored as JSON: {failure.Message}", failure);
        }
    }

    /// <exception cref="ArgumentException">The arguments do not fit the parameters, or cannot be stored.</exception>
    public string WriteArguments(IReadOnlyList<object?> arguments, IReadOnlyList<Type> types, string description)
    {
        if (arguments.Count != types.Count)
            throw new ArgumentException($"{description} takes {types.Count} argument(s), but {arguments.Count} were passed.");
        return arguments.Count == 0 ? "[]" : $"[{string.Join(',', arguments.Select((argument, i) => Write(Require(argument, types[i], i, description), types[i], $"Argument {i + 1} of {description}")))}]";
    }

    /// <exception cref="JsonException">The text is not JSON of this type.</exception>
    public object? Read(string? json, Type type) => json is null ? null : JsonSerializer.Deserialize(json, type, _options);

    /// <exception cref="JsonException">The text is not JSON of this type.</exception>
    public T? Read<T>(string? json) => json is null ? default : JsonSerializer.Deserialize<T>(json, _options);

    /// <summary>Checks a value from outside: an unknown member, or a missing parameter of a constructor, is an error there, because it would be ignored silently when the value is read.</summary>
    /// <exception cref="JsonException">The text is not JSON of this type.</exception>
    public void Check(string? json, Type type)
    {
        if (json is not null)
            JsonSerializer.Deserialize(json, type, _strict);
    }

    /// <param name="json">The arguments.</param>
    /// <param name="types">Their types.</param>
    /// <param name="isStrict">Whether they come from outside; see <see cref="Check"/>.</param>
    /// <exception cref="JsonException">The text is not a JSON array of these types.</exception>
    public object?[] ReadArguments(string json, IReadOnlyList<Type> types, bool isStrict = false)
    {
        if (types.Count == 0 && !isStrict)
            return [];
        using var array = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 512 });
        if (array.RootElement.ValueKind != JsonValueKind.Array || array.RootElement.GetArrayLength() != types.Count)
            throw new JsonException($"Expected a JSON array of {types.Count} argument(s).");
        return [.. types.Select((type, i) => array.RootElement[i].Deserialize(type, isStrict ? _strict : _options))];
    }

    private static object? Require(object? argument, Type type, int index, string description) =>
        argument is null || type.IsInstanceOfType(argument) || Nullable.GetUnderlyingType(type)?.IsInstanceOfType(argument) == true
            ? argument
            : throw new ArgumentException($"Argument {index + 1} of {description} must be of type {type.Name}, but was {argument.GetType().Name}.");

    private sealed class ContinuationConverterFactory(WorkflowJson json) : JsonConverterFactory
    {
        public override bool CanConvert(Type typeToConvert) => GraphInterpreter.IsContinuation(typeToConvert);

        public override JsonConverter? CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            (JsonConverter)Activator.CreateInstance(typeof(ContinuationConverter<>).MakeGenericType(typeToConvert.GetGenericArguments()), json)!;
    }

    private sealed class ContinuationConverter<T>(WorkflowJson json) : JsonConverter<Workflow<T>>
    {
        public override Workflow<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("A continuation is a step's result and cannot be an argument.");

        public override void Write(Utf8JsonWriter writer, Workflow<T> value, JsonSerializerOptions options)
        {
            writer.WriteStartObject();
            writer.WritePropertyName(value.Graph is null ? "Value" : "Graph");
            if (value.Graph is { } graph)
                JsonSerializer.Serialize(writer, GraphDocument.Of(graph, json), options);
            else
                JsonSerializer.Serialize(writer, value.Value, options);
            writer.WriteEndObject();
        }
    }

    private sealed class ObjectRefConverterFactory(Cluster cluster) : JsonConverterFactory
    {
        public override bool CanConvert(Type typeToConvert) => typeToConvert is { IsGenericType: true } && typeToConvert.GetGenericTypeDefinition() == typeof(ObjectRef<>);

        public override JsonConverter? CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            (JsonConverter)Activator.CreateInstance(typeof(ObjectRefConverter<>).MakeGenericType(typeToConvert.GetGenericArguments()), cluster)!;
    }

    private sealed class ObjectRefConverter<T>(Cluster cluster) : JsonConverter<ObjectRef<T>>
    {
        public override ObjectRef<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => cluster.Put(JsonSerializer.Deserialize<T>(ref reader, options)!);

        public override void Write(Utf8JsonWriter writer, ObjectRef<T> value, JsonSerializerOptions options) => JsonSerializer.Serialize(writer, value.GetResult(), options);
    }
}
