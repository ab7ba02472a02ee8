using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serve.Runtime.Methods;

/// <summary>Arguments from this process: passed by reference if their type matches, converted through JSON otherwise.</summary>
internal sealed class ObjectCallArguments(object?[] values) : ICallArguments
{
    public int Count => values.Length;

    public object?[] Fit(ActorMethodInvoker method, JsonSerializerOptions json)
    {
        var fitted = new object?[method.Parameters.Length];
        for (var i = 0; i < fitted.Length; i++)
            fitted[i] = i < values.Length ? Convert(method, i, values[i], json) : ParameterDefaultValue.GetValue(method.Parameters[i]);
        return fitted;
    }

    private static object? Convert(ActorMethodInvoker method, int index, object? value, JsonSerializerOptions json)
    {
        var type = method.Parameters[index].ParameterType;
        if (type.IsInstanceOfType(value) || (value is null && ParameterDefaultValue.AcceptsNull(type)))
            return value;
        try
        {
            return value switch
            {
                JsonElement element => element.Deserialize(type, json),
                JsonNode node => node.Deserialize(type, json),
                _ => JsonSerializer.SerializeToElement(value, json).Deserialize(type, json),
            };
        }
        catch (Exception thrown) when (thrown is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw ParameterDefaultValue.CreateMismatch(method, index, value is null ? "null" : Describe(value), thrown);
        }
    }

    private static string Describe(object value) => value is JsonElement or JsonNode ? $"the JSON {Shorten(value.ToString()!)}" : CSharpTypeNames.Format(value.GetType());

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
