using System.Text.Json;

namespace Serve.Runtime.Methods;

/// <summary>Converts a method's result to the type that the caller requests: unchanged if the type matches, through JSON otherwise.</summary>
internal static class MethodResultConverter
{
    /// <summary>Converts a result.</summary>
    /// <exception cref="BadInputException">The result cannot be converted to the requested type.</exception>
    public static TResult Convert<TResult>(object? value, ActorMethodInvoker method, JsonSerializerOptions json)
    {
        if (typeof(TResult) == typeof(JsonResultText))
            return (TResult)(object)(method.ReturnsNothing ? JsonResultText.Nothing : new JsonResultText(JsonSerializer.SerializeToUtf8Bytes(value, json)));
        if (value is TResult fits)
            return fits;
        if (method.ReturnsNothing || (value is null && ParameterDefaultValue.AcceptsNull(typeof(TResult))))
            return default!;
        try
        {
            return JsonSerializer.SerializeToElement(value, json).Deserialize<TResult>(json)!;
        }
        catch (Exception thrown) when (thrown is JsonException or NotSupportedException or InvalidOperationException)
        {
            var came = value is null ? "null" : CSharpTypeNames.Format(value.GetType());
            throw new BadInputException($"{method.FullName} returned {came}, which cannot be converted to {CSharpTypeNames.Format(typeof(TResult))}. {thrown.Message}", thrown);
        }
    }
}
