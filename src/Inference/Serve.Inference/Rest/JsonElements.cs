using System.Numerics;
using System.Text.Json;

namespace Serve.Inference.Rest;

/// <summary>JSON representation of one element of a tensor. A number that the type cannot hold is refused, not rounded to infinity or wrapped.</summary>
/// <typeparam name="T">The .NET type of the element.</typeparam>
internal interface IJsonElement<T>
{
    /// <summary>Gets the constraint on a value, for error messages.</summary>
    static abstract string Expected { get; }

    /// <summary>Reads the current token.</summary>
    static abstract bool TryRead(ref Utf8JsonReader json, out T value);

    static abstract void Write(Utf8JsonWriter json, T value);

    /// <summary>Returns whether JSON can represent the value.</summary>
    static virtual bool IsFinite(T value) => true;
}

internal readonly struct BoolJson : IJsonElement<bool>
{
    public static string Expected => "true or false";

    public static bool TryRead(ref Utf8JsonReader json, out bool value)
    {
        value = json.TokenType == JsonTokenType.True;
        return value || json.TokenType == JsonTokenType.False;
    }

    public static void Write(Utf8JsonWriter json, bool value) => json.WriteBooleanValue(value);
}

internal readonly struct IntegerJson<T> : IJsonElement<T>
    where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
{
    private static bool IsUnsigned => T.MinValue == T.Zero;

    public static string Expected { get; } = $"integers from {T.MinValue} to {T.MaxValue}";

    public static bool TryRead(ref Utf8JsonReader json, out T value)
    {
        value = default;
        if (json.TokenType != JsonTokenType.Number)
            return false;
        if (IsUnsigned)
        {
            if (!json.TryGetUInt64(out var wide) || wide > ulong.CreateTruncating(T.MaxValue))
                return false;
            value = T.CreateTruncating(wide);
            return true;
        }

        if (!json.TryGetInt64(out var signed) || signed < long.CreateTruncating(T.MinValue) || signed > long.CreateTruncating(T.MaxValue))
            return false;
        value = T.CreateTruncating(signed);
        return true;
    }

    public static void Write(Utf8JsonWriter json, T value)
    {
        if (IsUnsigned)
            json.WriteNumberValue(ulong.CreateTruncating(value));
        else
            json.WriteNumberValue(long.CreateTruncating(value));
    }
}

internal readonly struct HalfJson : IJsonElement<Half>
{
    public static string Expected => "numbers of at most 65504";

    public static bool TryRead(ref Utf8JsonReader json, out Half value)
    {
        value = default;
        if (json.TokenType != JsonTokenType.Number || !json.TryGetDouble(out var wide))
            return false;
        value = (Half)wide;
        return Half.IsFinite(value);
    }

    public static void Write(Utf8JsonWriter json, Half value) => json.WriteNumberValue((float)value);

    public static bool IsFinite(Half value) => Half.IsFinite(value);
}

internal readonly struct BFloat16Json : IJsonElement<BFloat16>
{
    public static string Expected => "numbers of at most 3.3895e38";

    public static bool TryRead(ref Utf8JsonReader json, out BFloat16 value)
    {
        value = default;
        if (json.TokenType != JsonTokenType.Number || !json.TryGetSingle(out var wide))
            return false;
        value = (BFloat16)wide;
        return float.IsFinite(value);
    }

    public static void Write(Utf8JsonWriter json, BFloat16 value) => json.WriteNumberValue((float)value);

    public static bool IsFinite(BFloat16 value) => float.IsFinite(value);
}

internal readonly struct SingleJson : IJsonElement<float>
{
    public static string Expected => "numbers of at most 3.4028235e38";

    public static bool TryRead(ref Utf8JsonReader json, out float value)
    {
        value = 0;
        return json.TokenType == JsonTokenType.Number && json.TryGetSingle(out value) && float.IsFinite(value);
    }

    public static void Write(Utf8JsonWriter json, float value) => json.WriteNumberValue(value);

    public static bool IsFinite(float value) => float.IsFinite(value);
}

internal readonly struct DoubleJson : IJsonElement<double>
{
    public static string Expected => "numbers of at most 1.7976931348623157e308";

    public static bool TryRead(ref Utf8JsonReader json, out double value)
    {
        value = 0;
        return json.TokenType == JsonTokenType.Number && json.TryGetDouble(out value) && double.IsFinite(value);
    }

    public static void Write(Utf8JsonWriter json, double value) => json.WriteNumberValue(value);

    public static bool IsFinite(double value) => double.IsFinite(value);
}

internal readonly struct StringJson : IJsonElement<string>
{
    public static string Expected => "strings";

    public static bool TryRead(ref Utf8JsonReader json, out string value)
    {
        value = json.TokenType == JsonTokenType.String ? json.GetString()! : "";
        return json.TokenType == JsonTokenType.String;
    }

    public static void Write(Utf8JsonWriter json, string value) => json.WriteStringValue(value);
}
