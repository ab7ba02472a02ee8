using System.Text.Json;
using System.Text.Json.Serialization;

namespace Serve.Specs;

/// <summary>Value of <c>num_replicas</c>: a number, or <c>auto</c>, with which the number follows the load.</summary>
[JsonConverter(typeof(ReplicaCountJsonConverter))]
public readonly record struct ReplicaCount
{
    /// <summary>Text of <see cref="Auto"/> in files.</summary>
    internal const string AutoText = "auto";

    private ReplicaCount(int number, bool isAuto) => (Number, IsAuto) = (number, isAuto);

    /// <summary>The number of replicas follows the load, between <see cref="AutoscalingSpec.MinReplicas"/> and <see cref="AutoscalingSpec.MaxReplicas"/>.</summary>
    public static ReplicaCount Auto { get; } = new(0, true);

    /// <summary>The number; 0 for <see cref="Auto"/>.</summary>
    public int Number { get; }

    /// <summary>Whether this is <see cref="Auto"/>.</summary>
    public bool IsAuto { get; }

    /// <summary>Converts a number.</summary>
    /// <param name="number">The number of replicas.</param>
    public static implicit operator ReplicaCount(int number) => FromInt32(number);

    /// <summary>Converts a number.</summary>
    /// <param name="number">The number of replicas.</param>
    public static ReplicaCount FromInt32(int number) => new(number, false);

    /// <inheritdoc/>
    public override string ToString() => IsAuto ? AutoText : Number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private sealed class ReplicaCountJsonConverter : JsonConverter<ReplicaCount>
    {
        public override ReplicaCount Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String && reader.ValueTextEquals(AutoText) ? Auto : reader.GetInt32();

        public override void Write(Utf8JsonWriter writer, ReplicaCount value, JsonSerializerOptions options)
        {
            if (value.IsAuto)
                writer.WriteStringValue(AutoText);
            else
                writer.WriteNumberValue(value.Number);
        }
    }
}
